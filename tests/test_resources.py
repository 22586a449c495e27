from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from sjepa_online import resources
from sjepa_online.errors import InputError
from sjepa_online.resources import find_resource, list_resources


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, empty."""
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "user"))
    for kind in ("calibration", "models"):
        (tmp_path / "user" / kind).mkdir(parents=True)
    return tmp_path / "user"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose shipped files are known."""
    folder = tmp_path / "package" / "_shipped"
    (folder / "calibration").mkdir(parents=True)
    (folder / "models" / "family").mkdir(parents=True)
    (folder / "calibration" / "mi.toml").write_text("shipped")
    (folder / "models" / "family" / "small.safetensors").write_text("shipped")
    (folder / "models" / "small.toml").write_text("recipe")
    monkeypatch.setattr(resources, "_PACKAGE", folder.parent)
    return folder


def test_a_shipped_file_is_found_by_its_name(user: Path, shipped: Path) -> None:
    assert find_resource("calibration", "mi") == shipped / "calibration" / "mi.toml"


def test_the_users_file_hides_the_shipped_one(user: Path, shipped: Path) -> None:
    own = user / "calibration" / "mi.toml"
    own.write_text("own")
    assert find_resource("calibration", "mi") == own
    assert list_resources("calibration", ".toml") == {"mi": own}


def test_a_path_comes_before_every_name(
    user: Path, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (user / "calibration" / "mi.toml").write_text("own")
    given = tmp_path / "work" / "mi"
    given.parent.mkdir()
    given.write_text("given")
    assert find_resource("calibration", given) == given
    monkeypatch.chdir(given.parent)
    assert find_resource("calibration", "mi").read_text() == "given"


def test_a_path_may_start_at_home(
    user: Path, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mine.toml").write_text("")
    assert find_resource("calibration", "~/mine.toml") == tmp_path / "mine.toml"


def test_weights_and_recipes_of_one_name_are_told_apart(user: Path, shipped: Path) -> None:
    assert find_resource("models", "small") == shipped / "models" / "family" / "small.safetensors"
    (shipped / "models" / "large.toml").write_text("recipe")
    assert find_resource("models", "small", ".toml") == shipped / "models" / "small.toml"
    with pytest.raises(InputError, match="Known names: small;"):
        find_resource("models", "large")


def test_an_unknown_name_lists_what_there_is(user: Path, shipped: Path) -> None:
    (user / "calibration" / "own.toml").write_text("own")
    with pytest.raises(InputError, match="mi, own") as caught:
        find_resource("calibration", "absent")
    assert caught.value.value == "absent"


@pytest.mark.parametrize("kind", ["calibration", "models"])
def test_a_folder_is_no_resource(user: Path, shipped: Path, tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match="path"):
        find_resource(kind, tmp_path)


def test_a_user_without_a_data_folder_has_the_shipped_ones(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "none"))
    assert list(list_resources("calibration", ".toml")) == ["mi"]


def test_a_checkout_ships_its_protocols() -> None:
    root = Path(__file__).resolve().parents[1]
    assert resources.shipped_folder("calibration") == root / "calibration"
