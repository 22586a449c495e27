from .benchmark import BenchmarkResult, run_benchmark
from .corpus import Corpus, load_corpus
from .devices import Devices, launch_devices
from .monitor import EpochLog
from .pretrain import prepare, pretrain
from .recipe import Recipe, load_recipe
from .store import Store
from .training import Observer, Outcome, Training

__all__ = [
    "BenchmarkResult",
    "Corpus",
    "Devices",
    "EpochLog",
    "Observer",
    "Outcome",
    "Recipe",
    "Store",
    "Training",
    "launch_devices",
    "load_corpus",
    "load_recipe",
    "prepare",
    "pretrain",
    "run_benchmark",
]
