import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from sjepa_online.errors import InputError
from sjepa_online.signal.montage import channel_positions
from sjepa_online.training.pretraining.corpus import Corpus, Pass, load_corpus
from sjepa_online.training.pretraining.recipe import Recipe, load_recipe
from sjepa_online.training.pretraining.store import Store


@pytest.fixture
def load(
    recipe_file: Callable[..., Path], recordings: Path, tmp_path: Path
) -> Callable[..., tuple[Corpus, Recipe]]:
    def load(pattern: str = "*.edf", **replacements: str) -> tuple[Corpus, Recipe]:
        recipe = load_recipe(recipe_file(**replacements))
        store = Store(tmp_path / "store", recipe.storage)
        texts = [str(recordings / pattern)]
        store.add(texts)
        return load_corpus(store, texts, recipe), recipe

    return load


def _subjects(corpus: Corpus, examples: Sequence[object]) -> set[str]:
    return {corpus.shards[example.shard].subject for example in examples}  # type: ignore[attr-defined]


def test_subjects_are_divided_as_the_recipe_says(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, _ = load()
    assert _subjects(corpus, corpus.train) == {"01", "02"}
    assert _subjects(corpus, corpus.validation) == {"03"}


def test_a_share_of_the_subjects_validates(load: Callable[..., tuple[Corpus, Recipe]]) -> None:
    corpus, _ = load(train="[]", validation="[]", untouched="[]\nvalidation_share = 0.3")
    train, validation = _subjects(corpus, corpus.train), _subjects(corpus, corpus.validation)
    assert len(validation) == 1
    assert train | validation == {"01", "02", "03", "04"}
    assert not train & validation


def test_recordings_of_one_subject_are_divided_by_recording(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, _ = load(
        "sub-01*.edf", train="[]", validation="[]", untouched="[]\nvalidation_share = 0.3"
    )
    shards = [{example.shard for example in part} for part in (corpus.train, corpus.validation)]
    assert shards[0]
    assert shards[1]
    assert not shards[0] & shards[1]


def test_a_part_without_examples_is_refused(load: Callable[..., tuple[Corpus, Recipe]]) -> None:
    with pytest.raises(InputError, match="validation subjects"):
        load(validation='["9"]')


def test_recordings_shorter_than_an_example_are_reported(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    with pytest.raises(InputError, match="Shorter than an example of 12824 samples"):
        load(window_seconds="100")


def test_windows_stay_within_their_recording_wherever_they_start(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, recipe = load()
    starts = set()
    for epoch in range(5):
        for example in corpus.order(recipe, epoch):
            ((first, last),) = corpus.shards[example.shard].stretches
            assert first <= example.start <= last - recipe.examples.n_times
            assert corpus.window(recipe.examples, example).shape[1] == recipe.examples.n_times
            starts.add((example.shard, example.start))
    assert len(starts) > 2 * len(corpus.train)


def _passes(corpus: Corpus, recipe: Recipe, device: tuple[int, int], size: int = 96) -> list[Pass]:
    batch = corpus.batch(recipe, corpus.order(recipe, 0)[:8], (0, 0, 0), size, device)
    return [part for _, passes in sorted(batch.slices.items()) for part in passes]


def test_a_batch_mixes_montages_and_each_pass_has_one(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, recipe = load()
    passes = _passes(corpus, recipe, (0, 1))
    assert sum(len(part.signal) for part in passes) == 8
    assert {len(part.ch_names) for part in passes} == {7, 10}
    for part in passes:
        assert part.signal.shape[1] == len(part.ch_names) == part.hidden.shape[1]


def test_devices_share_the_slices_that_one_device_computes(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, recipe = load()
    alone = _passes(corpus, recipe, (0, 1))
    shared = _passes(corpus, recipe, (0, 2)) + _passes(corpus, recipe, (1, 2))
    assert len(alone) == len(shared)
    for a, b in zip(alone, shared, strict=True):
        torch.testing.assert_close(a.signal, b.signal, rtol=0, atol=0)
        assert torch.equal(a.hidden, b.hidden)


def test_masks_are_spheres_around_an_electrode(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, recipe = load()
    for part in _passes(corpus, recipe, (0, 1)):
        positions = channel_positions(part.ch_names)
        distances = np.linalg.norm(positions[:, None] - positions, axis=-1)
        spheres = [tuple(row <= recipe.objective.mask_radius) for row in distances]
        for hidden in part.hidden:
            assert tuple(hidden.tolist()) in spheres


def test_every_epoch_has_another_order_and_the_same_examples(
    load: Callable[..., tuple[Corpus, Recipe]],
) -> None:
    corpus, recipe = load(random_start="false")
    first, second = corpus.order(recipe, 0), corpus.order(recipe, 1)
    assert first != second
    assert sorted(first) == sorted(second) == sorted(corpus.train)
    assert corpus.order(recipe, 0) == first


def test_files_of_physionet_tell_the_person_by_their_name(
    recipe_file: Callable[..., Path], recordings: Path, tmp_path: Path
) -> None:
    first = next(recordings.glob("*.edf"))
    for name in ("S001R04.edf", "S002R04.edf", "S002R08.edf"):
        shutil.copy(first, tmp_path / name)
    recipe = load_recipe(recipe_file(train='["S002"]', validation='["S001"]', untouched="[]"))
    store = Store(tmp_path / "store", recipe.storage)
    store.add([str(tmp_path / "S*.edf")])
    corpus = load_corpus(store, [], recipe)
    train, validation = (
        {Path(corpus.shards[one.shard].name).name for one in part}
        for part in (corpus.train, corpus.validation)
    )
    assert train == {"S002R04.edf", "S002R08.edf"}
    assert validation == {"S001R04.edf"}
