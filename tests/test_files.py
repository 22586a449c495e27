from __future__ import annotations

import errno
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sjepa_online import files
from sjepa_online.errors import InputError, OperationError
from sjepa_online.files import atomic_path, atomic_write, is_file, user_path


def _fail_while_writing(path: Path, error: BaseException) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half of the ne")
        raise error


@pytest.mark.parametrize("before", [None, b"old"])
def test_the_whole_content_arrives_and_nothing_else_stays(
    tmp_path: Path, before: bytes | None
) -> None:
    path = tmp_path / "file.bin"
    if before is not None:
        path.write_bytes(before)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    with pytest.raises(type(error)):
        _fail_while_writing(path, error)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert temporary.parent == path.parent, "a rename is atomic within a file system only"
    assert path.read_bytes() == b"new"


def test_two_writers_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    with atomic_path(path) as first, atomic_path(path) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    # the inner writer is done first, so the outer one has the last word
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_what_a_killed_process_left_goes_and_nothing_else(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sjepa_online.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "file.bin"
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    (abandoned,) = tmp_path.iterdir()
    foreign = tmp_path / abandoned.name.replace("file", "other").replace(files._HOST, "0" * 8)
    strange = tmp_path / ".notes-1-abcdefgh.tmp"
    for other in (foreign, strange):
        other.write_bytes(b"not ours")
    with atomic_path(path) as running:
        atomic_write(tmp_path / "second.bin", b"second")
        assert running.exists()
        assert not abandoned.exists()
    assert {one.name for one in tmp_path.iterdir()} == {
        "file.bin",
        "second.bin",
        foreign.name,
        strange.name,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX")
def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    atomic_write(tmp_path / "atomic", b"")
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE(
        ordinary.stat().st_mode
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder is missing") as caught:
        atomic_write(tmp_path / "absent" / "file.bin", b"new")
    assert "absent" in str(caught.value)


def test_a_folder_in_the_files_place_is_refused_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match="folder"):
        atomic_write(folder, b"new")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    with pytest.raises(OperationError, match=r"file\.bin could not be written: No space left"):
        _fail_while_writing(path, OSError(errno.ENOSPC, "No space left on device"))


def test_a_file_that_another_program_holds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Access is denied")

    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    # as Windows does
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OperationError, match=r"file\.bin.*Access is denied.*close the program"):
        atomic_write(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be reached.*too long"):
        is_file(tmp_path / ("a" * 300))
    with pytest.raises(InputError, match=r"cannot be reached.*~no-such-user/x"):
        user_path("~no-such-user/x")
    assert user_path("~/x") == Path.home() / "x"
