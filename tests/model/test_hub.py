import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sjepa_online.errors import InputError, OperationError
from sjepa_online.model import (
    ModelConfig,
    SignalJEPA,
    describe_weights,
    list_weights,
    load_weights,
    save_checkpoint,
)
from sjepa_online.model.hub import import_weights, pull_weights

HUB_ID = "braindecode/signal-jepa"


@pytest.fixture(autouse=True)
def user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the tests a user's data folder of their own."""
    folder = tmp_path / "user"
    monkeypatch.setattr("sjepa_online.model.hub.user_folder", lambda kind: folder / kind)
    monkeypatch.setattr("sjepa_online.resources.user_folder", lambda kind: folder / kind)
    return folder


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache on the disk, as huggingface_hub lays it out, and no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = "0" * 40
    repository = cache / f"models--{HUB_ID.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    return snapshot


def test_pulled_weights_are_known_by_name_and_compute_as_published(
    hub_cache: Path, parity: Path
) -> None:
    (hub_cache / "model.safetensors").write_bytes((parity / "signal_jepa.safetensors").read_bytes())
    path = pull_weights(HUB_ID)
    assert path.name == "signal-jepa.safetensors"
    expected = load_file(parity / "expected.safetensors")
    with torch.no_grad():
        tokens = load_weights("signal-jepa")(expected["x4"])
    reference = expected["x4.contextual_tokens"]
    torch.testing.assert_close(tokens, reference.reshape(tokens.shape), atol=1e-5, rtol=1e-5)
    assert describe_weights("signal-jepa").provenance["imported_from"] == f"hub:{HUB_ID}"
    assert "signal-jepa" in list_weights()


def test_a_model_that_the_hub_does_not_give_is_no_users_fault(hub_cache: Path) -> None:
    with pytest.raises(OperationError, match="someone/else"):
        pull_weights("someone/else")


def test_a_hub_id_is_owner_and_name() -> None:
    with pytest.raises(InputError, match="OWNER/NAME"):
        pull_weights("../etc/passwd")


def test_without_the_extra_the_remedy_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    missing: Any = None
    monkeypatch.setitem(sys.modules, "huggingface_hub", missing)
    with pytest.raises(InputError, match=r"pip install .*\[hub\]"):
        pull_weights(HUB_ID)


def _own(path: Path) -> SignalJEPA:
    torch.manual_seed(0)
    config = ModelConfig.for_channels(
        ("C3", "Cz", "C4"), n_encoder_layers=1, n_decoder_layers=1, d_feed_forward=16
    )
    network = SignalJEPA(config).eval()
    save_checkpoint(network, path, {"recipe": "tiny"})
    return network


def test_own_weights_keep_their_provenance(tmp_path: Path) -> None:
    network = _own(tmp_path / "mine.safetensors")
    import_weights(tmp_path / "mine.safetensors", "other-name")
    loaded = load_weights("other-name")
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])
    provenance = describe_weights("other-name").provenance
    assert provenance["recipe"] == "tiny"
    assert provenance["imported_from"].endswith("mine.safetensors")


def test_a_folder_with_a_config_imports_under_its_name(tmp_path: Path, parity: Path) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes((parity / "signal_jepa.safetensors").read_bytes())
    (folder / "config.json").write_text('{"transformer__nhead": 8}')
    assert import_weights(folder).stem == "published"
    assert len(load_weights("published").context_encoder.layers) == 2


def test_a_name_is_given_once(tmp_path: Path) -> None:
    _own(tmp_path / "mine.safetensors")
    import_weights(tmp_path / "mine.safetensors")
    with pytest.raises(InputError, match="other weights of this name"):
        import_weights(tmp_path / "mine.safetensors")


@pytest.mark.parametrize("name", ["../out", "a b"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str, user_data: Path) -> None:
    _own(tmp_path / "mine.safetensors")
    with pytest.raises(InputError, match="letters, digits"):
        import_weights(tmp_path / "mine.safetensors", name)
    assert not user_data.exists()


def test_nothing_is_imported_from_what_is_no_weights(tmp_path: Path, user_data: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    torch.save({"a": torch.zeros(2)}, tmp_path / "pickle.safetensors")
    for path in (tmp_path / "other.safetensors", tmp_path / "pickle.safetensors", tmp_path):
        with pytest.raises(InputError):
            import_weights(path)
    assert not user_data.exists()
