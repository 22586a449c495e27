"""A pretraining from SOURCEs to weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.errors import InputError
from sjepa_online.files import remove_abandoned
from sjepa_online.training.pretraining.corpus import Corpus, load_corpus
from sjepa_online.training.pretraining.devices import launch_devices
from sjepa_online.training.pretraining.recipe import Recipe
from sjepa_online.training.pretraining.store import Store
from sjepa_online.training.pretraining.training import STATE_NAME, Observer, Outcome, Training


def prepare(
    recipe: Recipe,
    sources: Sequence[str],
    store_folder: Path,
    progress: Callable[[str, int, int], None],
    amplifier: AmplifierProfile | None = None,
) -> Corpus:
    """Preprocess the SOURCEs that the store lacks, and cut the examples.

    Parameters
    ----------
    recipe : Recipe
        Preprocessing, windows and split.
    sources : sequence of str
        SOURCEs; the recipe's own when empty, and all that the store holds when it has none.
    store_folder : Path
        Made when it is not there.
    progress : callable
        Told the name, the number and the count of each file or subject.
    amplifier : AmplifierProfile, optional
        What is known of the recordings beside what they say.

    Returns
    -------
    corpus : Corpus

    Raises
    ------
    InputError
        There is no source, one is wrong, or the training or validation part is empty.
    OperationError
        The disk is full.
    """
    store = Store(store_folder, recipe.storage, amplifier)
    texts = _chosen(recipe, sources, store)
    if texts:
        store.add(texts, progress)
    return load_corpus(store, texts, recipe)


def pretrain(
    recipe: Recipe,
    sources: Sequence[str],
    folder: Path,
    store_folder: Path,
    observer: Observer,
    progress: Callable[[str, int, int], None],
    *,
    accelerator: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    resume: bool = False,
    amplifier: AmplifierProfile | None = None,
) -> tuple[Outcome, Corpus]:
    """Pretrain on every device; each process calls this, the first one fills the store.

    Parameters
    ----------
    recipe, sources, store_folder, progress, amplifier
        As for :func:`prepare`.
    folder : Path
        Receives the weights, the log and the state; see :class:`Training`.
    observer : Observer
        Told of steps, epochs and warnings.
    accelerator : {"auto", "cpu", "cuda"}
        Kind of device.
    devices, nodes : int
        Devices per machine, and machines.
    resume : bool
        Go on with the training in ``folder``.

    Returns
    -------
    outcome : Outcome
    corpus : Corpus

    Raises
    ------
    InputError
        As for :func:`prepare`, :func:`make_training_folder`, :func:`launch_devices` and
        :class:`Training`.
    OperationError
        The disk is full, the loss diverged, or the process was asked to stop.
    """
    texts = _chosen(recipe, sources, Store(store_folder, recipe.storage, amplifier))
    make_training_folder(folder, resume)
    launched = launch_devices(recipe, accelerator, devices, nodes)
    fabric = launched.fabric
    if texts and fabric.is_global_zero:
        Store(store_folder, recipe.storage, amplifier).add(texts, progress)
    fabric.barrier()
    corpus = load_corpus(Store(store_folder, recipe.storage, amplifier), texts, recipe)
    training = Training(recipe, corpus, folder, launched, observer, resume)
    return training.run(), corpus


def make_training_folder(folder: Path, resume: bool) -> None:
    """Make the folder of a training, before any time is spent on it.

    Parameters
    ----------
    folder : Path
        May be there already.
    resume : bool
        Whether the training in it is to go on.

    Raises
    ------
    InputError
        It cannot be made or written, or holds a training that is not to go on.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
        remove_abandoned(folder)
    except OSError as error:
        raise InputError(
            "The training's folder cannot be made or written",
            value=f"{folder} ({error.strerror})",
            remedy="Choose another one with --out.",
        ) from error
    if (folder / STATE_NAME).exists() and not resume:
        raise InputError(
            "This folder holds a training already",
            value=str(folder),
            remedy="Add --resume to go on with it, or choose another folder with --out.",
        )


def _chosen(recipe: Recipe, sources: Sequence[str], store: Store) -> Sequence[str]:
    """Return the SOURCEs to use; empty for all that the store holds."""
    texts = sources or recipe.sources
    if not texts and not store.contents(()):
        raise InputError(
            f"No recordings were given for the recipe {recipe.name}",
            value="no source, and no store that holds some",
            remedy='Give them with --data, as in --data "recordings/**/*.edf".',
        )
    return texts
