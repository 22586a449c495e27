"""Pretraining of S-JEPA on unlabelled recordings."""

from sjepa_online.training.pretraining.benchmark import BenchmarkResult, run_benchmark
from sjepa_online.training.pretraining.corpus import Corpus, load_corpus
from sjepa_online.training.pretraining.devices import Devices, launch_devices
from sjepa_online.training.pretraining.monitor import EpochLog
from sjepa_online.training.pretraining.pretrain import prepare, pretrain
from sjepa_online.training.pretraining.recipe import Recipe, load_recipe
from sjepa_online.training.pretraining.store import Store
from sjepa_online.training.pretraining.training import Observer, Outcome, Training

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
