"""Decoders on disk, with bad channels, and on streams of other montages."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding import Decoder, load_decoder
from sjepa_online.errors import InputError

FITTED = [
    ("riemann", "erp"),
    ("riemann", "mi"),
    ("riemann", "ssvep"),
    ("pre-local", "erp"),
    ("pre-local", "mi"),
    ("pre-local", "ssvep"),
    ("filter-bank", "erp"),
    ("filter-bank", "mi"),
    ("filter-bank", "ssvep"),
    ("auto", "mi"),
    ("new-post-local", "mi"),
    ("full-contextual", "erp"),
]
pytestmark = pytest.mark.usefixtures("short_training")


@pytest.fixture
def X() -> NDArray[np.float32]:  # noqa: N802
    return 10 * np.random.default_rng(9).standard_normal((6, 4, 152)).astype(np.float32)


@pytest.fixture
def saved(fitted: Callable[..., Decoder], tmp_path: Path) -> Path:
    """The file of a small decoder."""
    path = tmp_path / "decoder.safetensors"
    fitted("riemann", "erp").save(path)
    return path


@pytest.mark.parametrize(("name", "paradigm"), FITTED)
def test_a_decoder_that_is_saved_and_loaded_is_the_same(
    name: str,
    paradigm: str,
    fitted: Callable[..., Decoder],
    X: NDArray[np.float32],
    tmp_path: Path,
) -> None:
    decoder = fitted(name, paradigm)
    decoder.save(tmp_path / "decoder.safetensors")
    loaded = load_decoder(str(tmp_path / "decoder.safetensors"))
    for bad in (None, ["Cz"], ["C3", "Pz"]):
        np.testing.assert_allclose(
            loaded.predict_proba(X, bad), decoder.predict_proba(X, bad), atol=1e-7
        )
    for field in ("name", "protocol", "ch_names", "preprocessing", "calibration", "classes"):
        assert getattr(loaded, field) == getattr(decoder, field)
    assert loaded.classes == decoder.protocol.class_names, "in the protocol's order"


@pytest.mark.parametrize(("name", "paradigm"), FITTED)
@pytest.mark.parametrize("rubbish", [np.nan, 1e6])
def test_bad_channels_have_no_influence(
    name: str,
    paradigm: str,
    rubbish: float,
    fitted: Callable[..., Decoder],
    X: NDArray[np.float32],
) -> None:
    decoder = fitted(name, paradigm)
    expected = decoder.predict_proba(X, ["Pz", "C3"])
    broken = X.copy()
    broken[:, [0, 3]] = rubbish
    np.testing.assert_array_equal(decoder.predict_proba(broken, ["Pz", "C3"]), expected)
    np.testing.assert_array_equal(decoder.predict_proba(broken, ["c3", "PZ."]), expected)
    assert np.isfinite(expected).all()
    before = decoder.predict_proba(X)
    assert np.abs(np.log(expected / before)).max() > 0.01, "good channels have an influence"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_good_channels_are_finite(
    fitted: Callable[..., Decoder], X: NDArray[np.float32], value: float
) -> None:
    decoder = fitted("riemann", "mi")
    X[2, 1, 5] = value
    for bad in (None, ["C3"]):
        with pytest.raises(InputError, match="1 values"):
            decoder.predict_proba(X, bad)


def test_other_shapes_and_channels_are_refused(
    fitted: Callable[..., Decoder], X: NDArray[np.float32]
) -> None:
    decoder = fitted("riemann", "mi")
    for epochs in (X[0], X[:, :3], X[..., :-1]):
        with pytest.raises(InputError, match=r"shape \(n, 4, 152\)"):
            decoder.predict_proba(epochs)
    with pytest.raises(InputError, match="Oz"):
        decoder.predict_proba(X, ["Cz", "Oz"])
    with pytest.raises(InputError, match="good channel"):
        decoder.predict_proba(X, decoder.ch_names)


def test_channels_of_a_stream_are_found_whatever_their_spelling_and_order(
    fitted: Callable[..., Decoder],
) -> None:
    decoder = fitted("riemann", "mi")
    match = decoder.match_channels(["EOG1", "Pz.", "EEG C4-Ref", "CZ", "Fz", "c3"])
    assert match.picks.tolist() == [5, 3, 2, 1]
    assert (match.absent, match.others) == ((), ("Fz",))
    match = decoder.match_channels(["Ch9", "C3", "Cz", "HEO", "C4", "BIP1", "Pz"])
    assert match.picks.tolist() == [1, 2, 4, 6]
    assert match.others == ("Ch9",)  # of an eye and a bipolar lead nothing need be told
    match = decoder.match_channels(["Cz", "C4", "EOG"])
    assert match.picks.tolist() == [0, 1]
    assert (match.present, match.absent) == (("Cz", "C4"), ("C3", "Pz"))
    assert str(match) == "the stream lacks C3, Pz (left out, as bad channels are)"
    with pytest.raises(InputError, match="missing: C3, Cz, Pz; there: C4, Fz"):
        decoder.match_channels(["C4", "Fz"])


@pytest.mark.parametrize("keep", [0, 6, 500, -8])
def test_a_truncated_file_is_refused(saved: Path, keep: int) -> None:
    content = saved.read_bytes()[:keep]
    saved.write_bytes(content)
    with pytest.raises(InputError, match="whole safetensors"):
        load_decoder(saved)
    assert saved.read_bytes() == content


def test_other_files_are_refused(saved: Path, tiny_weights: str, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.safetensors"
    renamed.write_bytes(pickle.dumps({"weights": np.zeros(3)}))
    with pytest.raises(InputError, match="never loaded"):
        load_decoder(renamed)
    with pytest.raises(InputError, match="'sjepa-online weights'"):
        load_decoder(tiny_weights)
    with pytest.raises(InputError, match="No such file"):
        load_decoder(tmp_path / "absent.safetensors")


def test_a_newer_version_is_refused(saved: Path, edit_tensor_file: Callable[..., None]) -> None:
    edit_tensor_file(saved, format_version=2)
    with pytest.raises(InputError, match="Update sjepa-online"):
        load_decoder(saved)


def test_a_newer_kind_of_classifier_is_refused(
    saved: Path, edit_tensor_file: Callable[..., None]
) -> None:
    edit_tensor_file(saved, lambda config, arrays: config["classifier"].update(kind="quantum"))
    with pytest.raises(InputError, match=r"quantum.*Update"):
        load_decoder(saved)


EDITS: dict[str, Callable[[dict[str, Any], dict[str, NDArray[Any]]], object]] = {
    "no edit of the configuration at all": lambda config, arrays: config.clear(),
    "protocol.window.length": lambda config, arrays: config["protocol"]["window"].update(length=1),
    "preprocessing.reference": lambda config, arrays: config["preprocessing"].update(reference="x"),
    "another field": lambda config, arrays: config.update(colour="red"),
    "a longer window": lambda config, arrays: config["protocol"]["window"].update(length=2.0),
    "a channel less": lambda config, arrays: config["ch_names"].pop(),
    "a kernel less": lambda config, arrays: arrays.pop("channel_kernel"),
    "weights less": lambda config, arrays: arrays.pop("classifier/weights"),
    "a row of weights less": lambda config, arrays: arrays.update(
        {"classifier/weights": arrays["classifier/weights"][1:]}
    ),
    "a class less": lambda config, arrays: config["classifier"]["classes"].pop(),
    "classes in another order": lambda config, arrays: config["classifier"]["classes"].reverse(),
    "no settings": lambda config, arrays: config["classifier"].update(frequencies=None),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_file_whose_parts_do_not_fit_is_refused(
    saved: Path, edit: str, edit_tensor_file: Callable[..., None]
) -> None:
    edit_tensor_file(saved, EDITS[edit])
    content = saved.read_bytes()
    with pytest.raises(InputError) as caught:
        load_decoder(saved)
    if "." in edit:
        assert edit in str(caught.value.value)
    assert "calibrate again" in caught.value.remedy
    assert saved.read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        lambda config, arrays: config["classifier"]["model"].update(d_model=65),
        lambda config, arrays: config["classifier"].update(head="middle-local"),
        lambda config, arrays: config["classifier"].update(n_times=280),
        lambda config, arrays: arrays.pop("classifier/readout.weight"),
    ],
)
def test_a_network_that_is_not_that_of_its_weights_is_refused(
    fitted: Callable[..., Decoder],
    tmp_path: Path,
    change: Callable[[dict[str, Any], dict[str, NDArray[Any]]], object],
    edit_tensor_file: Callable[..., None],
) -> None:
    path = tmp_path / "decoder.safetensors"
    fitted("new-post-local", "mi").save(path)
    edit_tensor_file(path, change)
    with pytest.raises(InputError, match="calibrate again"):
        load_decoder(path)


def test_saving_where_it_cannot_be_leaves_everything(
    fitted: Callable[..., Decoder], saved: Path, tmp_path: Path
) -> None:
    decoder = fitted("riemann", "mi")
    with pytest.raises(InputError, match="folder"):
        decoder.save(tmp_path / "absent" / "decoder.safetensors")
    with pytest.raises(InputError, match="folder"):
        decoder.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["decoder.safetensors"]


def test_saving_over_an_old_file_replaces_it(
    fitted: Callable[..., Decoder], saved: Path, tmp_path: Path
) -> None:
    fitted("riemann", "mi").save(saved)
    assert load_decoder(saved).protocol.paradigm == "mi"
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda X: X * 1e-6, "multiply them by 1e6"),
        (lambda X: X * 1e-3, "multiply them by 1e3"),
        (lambda X: X.swapaxes(1, 2), "swapaxes"),
        (lambda X: X[:0], "no epochs"),
        (lambda X: X.tolist(), "not a NumPy array"),
    ],
)
def test_epochs_of_another_unit_order_kind_or_number_are_refused(
    fitted: Callable[..., Decoder], X: NDArray[np.float32], damage: Any, told: str
) -> None:
    decoder = fitted("riemann", "mi")
    with pytest.raises(InputError, match=told):
        decoder.predict_proba(damage(X))
    with pytest.raises(InputError, match="Write bad="):
        decoder.predict_proba(X, "Cz")
