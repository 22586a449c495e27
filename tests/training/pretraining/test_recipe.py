from collections.abc import Callable
from pathlib import Path

import pytest

from sjepa_online.errors import InputError
from sjepa_online.resources import shipped_folder
from sjepa_online.training.pretraining.recipe import expand_subjects, load_recipe

SHIPPED = sorted(path.stem for path in shipped_folder("models").glob("*.toml"))


def test_the_papers_nine_recipes_ship() -> None:
    windows, blocks = (1, 4, 16), (40, 60, 80)
    assert {f"paper-{s}s-{m}" for s in windows for m in blocks} <= set(SHIPPED)
    for seconds, n_times in zip(windows, (152, 536, 2072), strict=True):
        for percent in blocks:
            recipe = load_recipe(f"paper-{seconds}s-{percent}")
            assert recipe.examples.n_times == n_times
            assert recipe.examples.spacing_seconds == 16.9
            assert recipe.objective.mask_radius == pytest.approx(percent / 100)
            assert expand_subjects(recipe.split.train) == {str(i) for i in range(1, 41)}
            assert expand_subjects(recipe.split.validation) == {str(i) for i in range(41, 48)}
            # the subjects of the downstream comparison are not even among the sources
            assert {source.split(":")[2] for source in recipe.sources} == {"1-47"}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_is_valid_and_named_as_its_file(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize(
    ("replacements", "message"),
    [
        ({"spacing_seconds": "2.0\nspacing = 3"}, "examples.spacing"),
        ({"validation": '["2-3"]'}, "overlap 'train': 2"),
        ({"untouched": '["1"]'}, "overlap 'train': 1"),
        ({"untouched": '["03"]'}, "overlap 'validation': 3"),
        ({"validation": "[]"}, "validation_share"),
        ({"batch_size": "7"}, "no multiple of 'slices'"),
        ({"target_layers": "3"}, "n_encoder_layers"),
        ({"mask_diameter_percent": "0"}, "mask_diameter_percent"),
        ({"name": '"../tiny"'}, "name"),
    ],
)
def test_a_wrong_field_is_named(
    recipe_file: Callable[..., Path], replacements: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        load_recipe(recipe_file(**replacements))


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="own-files"):
        load_recipe("no-such-recipe")


def test_the_digest_tells_recipes_apart(recipe_file: Callable[..., Path]) -> None:
    first = load_recipe(recipe_file()).digest
    assert load_recipe(recipe_file()).digest == first
    assert load_recipe(recipe_file(max_epochs="4")).digest != first
