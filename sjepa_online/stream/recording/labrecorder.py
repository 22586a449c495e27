"""A program of its own that runs LabRecorder, and ends its file soon.

Run it as ``python -I labrecorder.py PROGRAM FILE.xdf SHIFTS QUERY...``; it needs the standard
library. SHIFTS is a JSON object: for the uid of each stream that another clock stamps, what is to
be added (s) to its timestamps. It records until standard input says :data:`CLOSE` or
:data:`ABANDON`, or ends, as it does when the program that has started it dies.

LabRecorder takes up to 9 s to end: it compares clocks every 5 s, and looks only then whether it
should. Every 0.5 s it takes what has arrived of each stream, and a piece of more than 1 KB goes to
the operating system with all that came before it, markers too. While such pieces come, LabRecorder
is killed after one that holds everything, and what it would have added to its file, a footer for
each stream, is added here. While none come, as of a stream that is lost or very slow, it may hold
less than 8 KB back, and has to end by itself.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

#: What standard input says where nothing is worth keeping, and where the file is waited for.
ABANDON = b"a"
CLOSE = b"c"
#: Seconds within which LabRecorder takes what has arrived, with a margin.
TAKES_WITHIN = 0.55
#: Seconds that LabRecorder has to end by itself once nobody waits for its file, so that nothing is
#: left of a program that was killed 5 s ago.
ORPHAN_SECONDS = 4.5
#: The same where somebody waits, in which time it ends unless it hangs.
CLOSE_SECONDS = 15.0
#: Seconds that it has to compare the clock of another computer, which it first does 5 s after the
#: beginning: without that the streams of a file do not fit together.
COMPARES_WITHIN = 4.0

_POLL = 0.02
#: The field of a footer that tells what is to be added (s) to the timestamps of a stream.
CLOCK_SHIFT = "clock_shift"

_HEADER, _SAMPLES, _CLOCK, _FOOTER = 2, 3, 4, 6
_OF_A_STREAM = (_HEADER, _SAMPLES, _CLOCK, _FOOTER)
_WIDTHS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "double64": 8}
_MAGIC_BYTES = 4
#: Bytes of a chunk of samples up to its first timestamp, at most.
_SAMPLES_HEAD = 32
#: What a file that is no XDF raises.
UNREADABLE = (OSError, ValueError, KeyError, IndexError, struct.error, ET.ParseError)


class _Chunk(NamedTuple):
    """A piece of an XDF file: its tag, and where its content begins and ends."""

    tag: int
    begin: int
    end: int


@dataclass
class _Stream:
    """What a file holds of a stream, and what its footer has to tell."""

    uid: str
    host: str
    n_channels: int
    #: Bytes of a value; 0 for text.
    width: int
    interval: float
    n_samples: int = 0
    first: float = 0.0
    last: float = 0.0
    offsets: list[tuple[float, float]] = field(default_factory=list)
    ended: bool = False

    def add_samples(self, head: bytes) -> None:
        """Count the samples of a chunk by its first bytes."""
        n_samples, at = _length(head, 0)
        if n_samples and not self.n_samples:
            (self.first,) = struct.unpack_from("<d", head, at + 1)
        self.n_samples += n_samples

    def take_last(self, content: bytes) -> None:
        """Take the last timestamp of the last chunk; an omitted one follows the one before."""
        n_samples, at = _length(content, 0)
        for _ in range(n_samples):
            stamped = content[at] != 0
            if stamped:
                (self.last,) = struct.unpack_from("<d", content, at + 1)
            else:
                self.last += self.interval
            at += 9 if stamped else 1
            for _ in range(0 if self.width else self.n_channels):
                length, at = _length(content, at)
                at += length
            at += self.n_channels * self.width

    def footer(self, shift: float | None) -> bytes:
        """Return the footer in XML, as LabRecorder writes it, with the shift of the clock."""
        root = ET.Element("info")
        for name, value in (
            ("first_timestamp", self.first),
            ("last_timestamp", self.last),
            ("sample_count", self.n_samples),
        ):
            ET.SubElement(root, name).text = repr(value)
        if shift is not None:
            ET.SubElement(root, CLOCK_SHIFT).text = repr(shift)
        offsets = ET.SubElement(root, "clock_offsets")
        for measured, value in self.offsets:
            offset = ET.SubElement(offsets, "offset")
            ET.SubElement(offset, "time").text = repr(measured)
            ET.SubElement(offset, "value").text = repr(value)
        return b'<?xml version="1.0"?>' + ET.tostring(root)


def complete(path: Path, shifts: Mapping[str, float] | None = None) -> None:
    """Cut off a piece that was not written whole, and add the footers that are missing.

    Parameters
    ----------
    path : Path
        An XDF file that nobody writes to any more.
    shifts : mapping of str to float, optional
        By the uid of streams that another clock stamps, what is to be added (s).

    Raises
    ------
    OSError, ValueError, KeyError, IndexError, struct.error, ParseError
        The file cannot be read or written, or is no XDF file.
    """
    shifts = shifts or {}
    with path.open("r+b") as file:
        streams, end = _read(file)
        file.truncate(end)
        file.seek(end)
        for number, stream in streams.items():
            if not stream.ended:
                body = struct.pack("<HI", _FOOTER, number) + stream.footer(shifts.get(stream.uid))
                file.write(b"\x04" + struct.pack("<I", len(body)) + body)
        file.flush()
        os.fsync(file.fileno())


def _read(file: BinaryIO) -> tuple[dict[int, _Stream], int]:
    """Return the streams of a file by their numbers, and where its last whole piece ends.

    The footers behind it count as not written.
    """
    streams: dict[int, _Stream] = {}
    latest: dict[int, _Chunk] = {}
    end = len(file.read(_MAGIC_BYTES))
    footers: set[int] = set()
    for chunk in _chunks(file):
        if chunk.tag != _FOOTER:
            end = chunk.end
            for number in footers:
                streams[number].ended = True
        if chunk.tag not in _OF_A_STREAM:
            continue
        file.seek(chunk.begin)
        # of samples only their number and the first timestamp are needed
        wanted = chunk.end - chunk.begin if chunk.tag != _SAMPLES else _SAMPLES_HEAD
        content = file.read(wanted)
        number, body = int.from_bytes(content[:4], "little"), content[4:]
        if chunk.tag == _HEADER:
            streams[number] = _described(body)
        elif chunk.tag == _SAMPLES:
            streams[number].add_samples(body)
            latest[number] = chunk
        elif chunk.tag == _CLOCK:
            streams[number].offsets.append(struct.unpack("<dd", body))
        else:
            footers.add(number)
    for number, chunk in latest.items():
        file.seek(chunk.begin + 4)
        streams[number].take_last(file.read(chunk.end - chunk.begin - 4))
    return streams, end


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """Find the pieces of a file that are whole."""
    size = file.seek(0, os.SEEK_END)
    at = _MAGIC_BYTES
    while True:
        file.seek(at)
        head = file.read(11)
        width = head[0] if head else 0
        if width not in (1, 4, 8) or len(head) < 3 + width:
            return
        begin = at + 1 + width
        end = begin + int.from_bytes(head[1 : 1 + width], "little")
        if end > size:
            return
        yield _Chunk(int.from_bytes(head[1 + width : 3 + width], "little"), begin + 2, end)
        at = end


def _length(content: bytes, at: int) -> tuple[int, int]:
    """Read a number that its own width precedes; return it and the place after it."""
    width = content[at]
    return int.from_bytes(content[at + 1 : at + 1 + width], "little"), at + 1 + width


def _described(header: bytes) -> _Stream:
    root = ET.fromstring(header)
    sfreq = float(root.findtext("nominal_srate", "0"))
    return _Stream(
        uid=root.findtext("uid", ""),
        host=root.findtext("hostname", ""),
        n_channels=int(root.findtext("channel_count", "0")),
        width=_WIDTHS.get(root.findtext("channel_format", "").strip(), 0),
        interval=1 / sfreq if sfreq else 0.0,
    )


def _clocks_are_compared(path: Path) -> bool:
    """Tell whether the file tells the clock of every stream of another computer."""
    try:
        with path.open("rb") as file:
            streams, _ = _read(file)
    except UNREADABLE:
        return True
    own = socket.gethostname()
    return all(stream.offsets or stream.host == own for stream in streams.values())


def _grows(path: Path, until: float) -> bool:
    """Wait until a file grows, at most until a time; return whether it does."""
    size = _size(path)
    while time.monotonic() < until:
        time.sleep(_POLL)
        if _size(path) > size:
            return True
    return False


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _end_with_standard_input(recorder: subprocess.Popen[bytes], path: Path) -> None:
    """Wait for the order to end; then let LabRecorder write what it has, and end it."""
    # a buffered read would hold a lock that the end of the interpreter waits for
    order = os.read(sys.stdin.fileno(), 1)
    asked = time.monotonic()
    if order == ABANDON:
        recorder.kill()
        return
    flows = _grows(path, asked + TAKES_WITHIN)
    time.sleep(max(0.0, asked + TAKES_WITHIN - time.monotonic()))
    if flows and _grows(path, asked + 2 * TAKES_WITHIN):
        while not _clocks_are_compared(path) and time.monotonic() - asked < COMPARES_WITHIN:
            time.sleep(5 * _POLL)
    else:
        assert recorder.stdin is not None
        recorder.stdin.close()
        seconds = CLOSE_SECONDS if order == CLOSE else ORPHAN_SECONDS
        with suppress(subprocess.TimeoutExpired):
            recorder.wait(asked + seconds - time.monotonic())
    recorder.kill()


def main(program: str, path: str, shifts: str, *queries: str) -> None:
    """Record until standard input ends or LabRecorder does; then complete its file."""
    recorder = subprocess.Popen([program, path, *queries], stdin=subprocess.PIPE)
    file = Path(path)
    threading.Thread(target=_end_with_standard_input, args=(recorder, file), daemon=True).start()
    recorder.wait()
    if not file.exists():
        return
    try:
        complete(file, json.loads(shifts))
    except UNREADABLE as error:
        print(f"The end of {file} cannot be written: {error!r}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
