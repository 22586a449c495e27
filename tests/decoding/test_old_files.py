"""Decoder files of version 0.1.0, whose arrays and kinds had other names, still load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding import Decoder, load_decoder

Arrays = dict[str, NDArray[Any]]


def _as_it_was(config: dict[str, Any], arrays: Arrays) -> None:
    """Give the file of an ``auto`` decoder the names of version 0.1.0."""
    auto = config["classifier"]
    auto["members"]["pre-local"] = auto["members"].pop("filter-bank") | {"kind": "pre-local"}
    auto.pop("shares")
    if auto["choice"] == "filter-bank":
        auto["choice"] = "pre-local"
    config["calibration"]["early"] = config["calibration"].pop("dynamic_stopping")
    for name in list(arrays):
        arrays[name.replace("filter-bank", "pre-local")] = arrays.pop(name)
    riemann = "classifier/riemann/"
    arrays.pop(f"{riemann}kernels")
    if f"{riemann}templates" in arrays:
        arrays[f"{riemann}evoked"] = arrays.pop(f"{riemann}templates")[0]
        arrays[f"{riemann}weights_without"] = arrays[f"{riemann}weights"]


def _forget_the_network(auto: Any, choice: str) -> None:
    """Make a choice among the two members of version 0.1.0."""
    auto.network, auto.population, auto.shares_ = None, None, {choice: 1.0}
    old = ("average", "filter-bank", "riemann")
    auto.weights_ = {name: auto.weights_[name][:2] for name in old}


@pytest.mark.parametrize("choice", ["average", "filter-bank", "riemann"])
@pytest.mark.parametrize("paradigm", ["erp", "mi", "ssvep"])
def test_an_old_file_decodes_as_it_did(
    paradigm: str,
    choice: str,
    fitted: Callable[..., Decoder],
    edit_tensor_file: Callable[..., None],
    tmp_path: Path,
) -> None:
    decoder = fitted("auto", paradigm)
    _forget_the_network(decoder.classifier, choice)
    path = tmp_path / "decoder.safetensors"
    decoder.save(path)
    edit_tensor_file(path, _as_it_was)
    loaded = load_decoder(path)
    X = 10 * np.random.default_rng(3).standard_normal((4, 4, 152))
    for bad in (None, ["Cz"]):
        np.testing.assert_array_equal(loaded.predict_proba(X, bad), decoder.predict_proba(X, bad))


def test_an_old_filter_bank_was_called_pre_local(
    fitted: Callable[..., Decoder], edit_tensor_file: Callable[..., None], tmp_path: Path
) -> None:
    decoder = fitted("filter-bank", "mi")
    path = tmp_path / "decoder.safetensors"
    decoder.save(path)
    edit_tensor_file(path, lambda config, _: config["classifier"].update(kind="pre-local"))
    X = 10 * np.random.default_rng(3).standard_normal((4, 4, 152))
    np.testing.assert_array_equal(load_decoder(path).predict_proba(X), decoder.predict_proba(X))
