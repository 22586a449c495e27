from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sjepa_online.errors import InputError
from sjepa_online.model import SignalJEPA, describe_weights, load_weights, save_checkpoint


@pytest.fixture
def path(network: SignalJEPA, tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    save_checkpoint(network, path, {"recordings": ["a", "b"], "epochs": 3})
    return path


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


def test_loaded_weights_compute_the_same(path: Path, network: SignalJEPA, x: torch.Tensor) -> None:
    loaded = load_weights(path)
    assert not loaded.training
    assert loaded.config == network.config
    assert loaded.ch_names == network.ch_names
    with torch.no_grad():
        assert torch.equal(loaded(x), network(x))
        assert torch.equal(loaded.completed_tokens(x, ["Cz"]), network.completed_tokens(x, ["Cz"]))


def test_weights_load_for_other_channels(path: Path, network: SignalJEPA, x: torch.Tensor) -> None:
    names = ["Oz", "FCz", "C3"]
    loaded = load_weights(path, names)
    assert loaded.ch_names == tuple(names)
    with torch.no_grad():
        assert torch.equal(loaded(x[:, :3]), network.with_channels(names)(x[:, :3]))


def test_the_bound_channels_do_not_enter_the_file(network: SignalJEPA, tmp_path: Path) -> None:
    save_checkpoint(network.with_channels(["O1", "O2"]), tmp_path / "w.safetensors")
    assert load_weights(tmp_path / "w.safetensors").ch_names == network.ch_names


def test_weights_tell_where_they_come_from(path: Path, network: SignalJEPA) -> None:
    description = describe_weights(path)
    assert description.format == "sjepa-online"
    assert description.provenance == {"recordings": ["a", "b"], "epochs": 3}
    assert description.n_parameters == sum(p.numel() for p in network.parameters())
    assert [electrode.name for electrode in description.config.electrodes] == [
        "Fz",
        "C3",
        "Cz",
        "C4",
        "Pz",
        "Oz",
    ]


def test_a_file_is_plain_safetensors(path: Path, network: SignalJEPA) -> None:
    tensors = load_file(path)
    assert set(tensors) == set(network.state_dict())
    assert json.loads(metadata_of(path)["config"])["network"]["n_encoder_layers"] == 2


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.999])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="safetensors"):
        load_weights(path)


def test_a_pickle_with_the_suffix_is_refused(network: SignalJEPA, tmp_path: Path) -> None:
    path = tmp_path / "pickle.safetensors"
    torch.save(network.state_dict(), path)
    with pytest.raises(InputError, match="never loaded"):
        load_weights(path)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"encoder.weight": torch.ones(2)}, path)
    with pytest.raises(InputError, match=r"encoder\.weight"):
        load_weights(path)


def test_a_newer_format_is_refused(path: Path, edit_tensor_file: Callable[..., None]) -> None:
    edit_tensor_file(path, format_version=2)
    with pytest.raises(InputError, match="Update sjepa-online"):
        load_weights(path)


@pytest.mark.parametrize("change", [{"network": {"d_model": 64}}, {"provenance": None}])
def test_an_invalid_configuration_is_refused(
    path: Path, change: dict[str, Any], edit_tensor_file: Callable[..., None]
) -> None:
    edit_tensor_file(path, lambda config, arrays: config.update(change))
    with pytest.raises(InputError, match="their provenance"):
        load_weights(path)


def test_a_file_without_a_configuration_is_refused(
    path: Path, edit_tensor_file: Callable[..., None]
) -> None:
    edit_tensor_file(path, lambda config, arrays: config.clear())
    with pytest.raises(InputError, match="their provenance"):
        load_weights(path)


def test_tensors_of_another_network_are_refused(
    path: Path, edit_tensor_file: Callable[..., None]
) -> None:
    def change(config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        del arrays["predictor.norm.bias"]
        arrays["channel_embedding.table"] = np.zeros((7, 30), dtype=np.float32)

    edit_tensor_file(path, change)
    with pytest.raises(InputError, match=r"channel_embedding\.table, predictor\.norm\.bias"):
        load_weights(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(
    path: Path, value: float, edit_tensor_file: Callable[..., None]
) -> None:
    edit_tensor_file(
        path, lambda config, arrays: arrays["predictor.norm.bias"].__setitem__(3, value)
    )
    with pytest.raises(InputError, match=r"predictor\.norm\.bias"):
        load_weights(path)


def test_a_missing_file_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        load_weights(tmp_path / "nowhere.safetensors")
    with pytest.raises(InputError, match="no-such-weights"):
        load_weights("no-such-weights")


def test_provenance_that_json_cannot_hold_leaves_no_file(
    network: SignalJEPA, path: Path, x: torch.Tensor
) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(network, path, {"tensor": x})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
