from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import configure, find_streams, library, local_clock


@pytest.fixture
def unused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not used LSL yet."""
    monkeypatch.setattr(library, "_in_use", False)
    # restores the variable after the test, whatever the test makes of it
    monkeypatch.setenv("LSLAPICFG", os.environ["LSLAPICFG"])


@pytest.mark.parametrize(
    ("arguments", "own", "expected"),
    [
        ({}, False, None),
        ({}, True, "own.cfg"),
        ({"default": "machine"}, False, "machine.cfg"),
        ({"default": "machine"}, True, "own.cfg"),
        ({"scope": "link", "default": "machine"}, False, "link.cfg"),
        ({"scope": "site"}, False, "site.cfg"),
    ],
)
def test_the_users_choice_comes_first_then_lslapicfg_then_the_default(
    arguments, own, expected, unused, monkeypatch, tmp_path
):
    monkeypatch.delenv("LSLAPICFG")
    if own:
        (tmp_path / "own.cfg").touch()
        monkeypatch.setenv("LSLAPICFG", str(tmp_path / "own.cfg"))
    path = configure(**arguments)
    assert os.environ.get("LSLAPICFG") == (None if expected is None else str(path))
    assert expected is None or path.name == expected
    assert path is None or path.is_file()


def test_a_scope_is_added_to_the_users_own_configuration(unused, monkeypatch, tmp_path):
    own = tmp_path / "own.cfg"
    own.write_text("[lab]\nSessionID = lab 3\nKnownPeers = {10.0.0.7}\n[multicast]\nTTL = 3\n")
    monkeypatch.setenv("LSLAPICFG", str(own))
    monkeypatch.setattr(library.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path))
    # those that are shipped: the tests' own scope has a session id
    monkeypatch.setattr(library, "SCOPES", Path(library.__file__).with_name("scopes"))
    made = configparser.ConfigParser()
    path = configure("link")
    made.read(path)
    assert (made["lab"]["SessionID"], made["multicast"]["TTL"]) == ("lab 3", "3")
    assert (made["lab"]["KnownPeers"], made["multicast"]["ResolveScope"]) == ("{10.0.0.7}", "link")
    # a child process, or a second call, stays with it
    assert configure("link") == path
    own.write_text("SessionID = lab 3")
    monkeypatch.setenv("LSLAPICFG", str(own))
    monkeypatch.setattr(library, "_made", {})
    with pytest.raises(InputError, match="cannot be read"):
        configure("site")


def test_a_change_after_the_first_use_is_an_error():
    local_clock()
    assert configure("machine") == configure("machine")
    with pytest.raises(OperationError, match="LSL is in use already with the configuration"):
        configure("site")


def test_a_missing_configuration_file_is_an_error(unused, monkeypatch):
    monkeypatch.setenv("LSLAPICFG", "/does/not/exist.cfg")
    for use in (configure, find_streams):
        with pytest.raises(InputError, match="configuration file of LSL that does not"):
            use()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the libraries of a process from /proc")
def test_pylsl_and_mne_lsl_share_one_liblsl():
    local_clock()
    from mne_lsl.lsl import local_clock as clock_of_mne_lsl

    assert abs(clock_of_mne_lsl() - local_clock()) < 0.1
    maps = Path("/proc/self/maps").read_text().splitlines()
    assert len({line.split()[-1] for line in maps if "liblsl" in line}) == 1


def test_another_liblsl_in_the_process_is_an_error(unused, monkeypatch):
    other = SimpleNamespace(lib=SimpleNamespace(_name="/other/liblsl.so"))
    monkeypatch.setitem(sys.modules, "mne_lsl.lsl.load_liblsl", other)
    with pytest.raises(OperationError, match=r"another liblsl \(/other/liblsl\.so\)"):
        local_clock()


def test_importing_the_package_does_not_load_liblsl():
    code = "import sys, sjepa_online.stream; sys.exit('pylsl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_liblsl_writes_nothing_where_no_configuration_asks_for_it(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "LSLAPICFG"}
    program = (
        "from sjepa_online.stream.library import liblsl\n"
        "liblsl().StreamOutlet(liblsl().StreamInfo('quiet', 'EEG', 1, source_id='x'))"
    )
    words = [sys.executable, "-c", program]
    told = subprocess.run(
        words,
        env=environment | {"HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (told.stdout, told.stderr) == ("", "")
