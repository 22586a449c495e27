"""XDF files chunk by chunk: what is whole of a damaged one can be read, and written anew."""

from __future__ import annotations

import io
import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyxdf

from sjepa_online.data.reading import UNREADABLE, one_line
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write

_MAGIC = b"XDF:"
# as they are, and as references, which XML forbids just as well
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:[0-8]|1[124-9]|2\d|3[01]);")
_HEADER, _STREAM_HEADER, _SAMPLES, _CLOCK, _BOUNDARY, _FOOTER = 1, 2, 3, 4, 5, 6
_BOUNDARY_ID = bytes.fromhex("43A546DCCBF5410FB30ED5467383CBE4")
_CLOCK_BYTES = 20
_VALUE_BYTES = {
    "float32": 4, "double64": 8, "int8": 1, "int16": 2, "int32": 4, "int64": 8,
}  # fmt: skip
#: Stamps so far (s) from the times at which a stream's clock was compared are of another clock.
OTHER_CLOCK = 60.0
#: Channels beyond which a header is damaged.
_MOST_CHANNELS = 100_000


@dataclass(frozen=True)
class _Chunk:
    """A piece of an XDF file: its tag, and where it and its content begin and end."""

    tag: int
    begin: int
    content: int
    end: int


def load_streams(path: Path, gap_seconds: float) -> tuple[list[dict[str, Any]], list[str]]:
    """Load the streams of an XDF file with synchronised clocks; of a damaged one what is whole.

    Parameters
    ----------
    path : Path
    gap_seconds : float
        Pause between samples from which on they count as missing.

    Returns
    -------
    streams : list of dict
        As pyxdf gives them.
    damage : list of str
        What could not be read, for people.

    Raises
    ------
    InputError
        The file cannot be opened, is none of this format, or holds no whole stream.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not content.startswith(_MAGIC):
        raise _unreadable(path, "it does not begin with 'XDF:'")
    whole, lost = _structure(content)
    if not lost and _counts_fit(content, whole):
        try:
            return _load(content, gap_seconds), []
        except UNREADABLE:
            pass  # some chunk holds nonsense: looked for below
    whole, lost = _valid_chunks(content)
    try:
        streams = _load(_joined(content, whole), gap_seconds)
    except UNREADABLE as error:
        raise _unreadable(path, one_line(error)) from error
    return streams, [_told(path, lost, len(content))] if lost else []


def repair(path: Path, out: Path) -> str:
    """Write what is whole of a damaged XDF file; return what was lost, for people.

    Parameters
    ----------
    path : Path
        The damaged file; it is not changed.
    out : Path
        The new file, which must not exist.

    Returns
    -------
    str
        A sentence; it tells where nothing was damaged, too.

    Raises
    ------
    InputError
        The file is none of this format, or the new one exists.
    """
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise _unreadable(path, "it does not begin with 'XDF:'")
    if out.exists():
        raise InputError(f"{out} exists", value=str(out), remedy="Choose another name.")
    whole, lost = _valid_chunks(content)
    atomic_write(out, _joined(content, whole))
    return _told(path, lost, len(content)) if lost else f"{path}: nothing is damaged"


def _told(path: Path, lost: int, size: int) -> str:
    return f"{path}: damaged; {lost} of its {size} bytes cannot be read and are left out"


def _unreadable(path: Path, why: object) -> InputError:
    return InputError(
        "This .xdf file cannot be read",
        value=f"{path}: {why}",
        remedy="Copy the file again.",
    )


def _load(content: bytes, gap_seconds: float) -> list[dict[str, Any]]:
    streams = _read(content, gap_seconds, synchronise=True)
    if any(_is_of_another_clock(stream) for stream in streams):
        # the line through offsets that were measured on LSL's clock is wild at times of another
        as_stamped = {
            stream["info"]["stream_id"]: stream
            for stream in _read(content, gap_seconds, synchronise=False)
        }
        streams = [
            as_stamped[one["info"]["stream_id"]] if _is_of_another_clock(one) else one
            for one in streams
        ]
    return [_with_timestamps(stream) for stream in streams]


def _read(content: bytes, gap_seconds: float, *, synchronise: bool) -> list[dict[str, Any]]:
    streams, _ = pyxdf.load_xdf(
        io.BytesIO(content),
        synchronize_clocks=synchronise,
        jitter_break_threshold_seconds=gap_seconds,
        jitter_break_threshold_samples=0,
    )
    found: list[dict[str, Any]] = streams
    return found


def _is_of_another_clock(stream: dict[str, Any]) -> bool:
    """Tell whether samples are stamped by a clock other than that of the measured offsets."""
    measured, stamps = stream.get("clock_times", []), stream["time_stamps"]
    if not len(measured) or not len(stamps):
        return False
    before, after = min(measured) - OTHER_CLOCK, max(measured) + OTHER_CLOCK
    return not (stamps[-1] >= before and stamps[0] <= after)


def _with_timestamps(stream: dict[str, Any]) -> dict[str, Any]:
    # pyxdf gives a stream without samples no segments
    stream["info"].setdefault("segments", [])
    stream["info"].setdefault("effective_srate", 0.0)
    return stream


def _joined(content: bytes, chunks: list[_Chunk]) -> bytes:
    """Return a file of these chunks; headers without the control characters that XML forbids."""
    pieces = [_MAGIC]
    for chunk in chunks:
        piece = content[chunk.begin : chunk.end]
        if chunk.tag in (_STREAM_HEADER, _FOOTER):
            # after the number of the stream; of the same length, so that the chunk's holds
            text = chunk.content + 4 - chunk.begin
            piece = piece[:text] + _cleaned(piece[text:])
        pieces.append(piece)
    return b"".join(pieces)


def _cleaned(text: bytes) -> bytes:
    return _CONTROL.sub(lambda found: b" " * len(found.group()), text)


def _chunk_at(content: bytes, begin: int) -> _Chunk | None:
    """Read the length and the tag of a chunk; None where there is none, or it is cut off."""
    if begin >= len(content) or content[begin] not in (1, 4, 8):
        return None
    start = begin + 1 + content[begin]
    if start + 2 > len(content):
        return None
    length = int.from_bytes(content[begin + 1 : start], "little")
    tag = int.from_bytes(content[start : start + 2], "little")
    if length < 2 or start + length > len(content) or not 1 <= tag <= 6:
        return None
    return _Chunk(tag, begin, start + 2, start + length)


def _structure(content: bytes) -> tuple[list[_Chunk], int]:
    """Return the chunks that follow each other, and how many bytes do not belong to any."""
    chunks: list[_Chunk] = []
    lost, at = 0, len(_MAGIC)
    while at < len(content):
        chunk = _chunk_at(content, at)
        if chunk is None:
            found = _next_boundary(content, at + 1)
            lost += found - at
            at = found
            continue
        chunks.append(chunk)
        at = chunk.end
    return chunks, lost


def _next_boundary(content: bytes, after: int) -> int:
    """Return where the next boundary chunk begins, which stand in a file every 10 s."""
    found = content.find(_BOUNDARY_ID, after)
    while found >= 0:
        for width in (1, 4, 8):
            begin = found - 2 - width - 1
            if begin >= after and _chunk_at(content, begin) is not None:
                return begin
        found = content.find(_BOUNDARY_ID, found + 1)
    return len(content)


def _valid_chunks(content: bytes) -> tuple[list[_Chunk], int]:
    """Return the chunks whose content is what it should be, and how many bytes are lost."""
    chunks, lost = _structure(content)
    formats: dict[int, tuple[int, int]] = {}
    whole = []
    for chunk in chunks:
        if _is_valid(content, chunk, formats):
            whole.append(chunk)
        else:
            lost += chunk.end - chunk.begin
    return whole, lost


def _is_valid(content: bytes, chunk: _Chunk, formats: dict[int, tuple[int, int]]) -> bool:
    body = content[chunk.content : chunk.end]
    if chunk.tag in (_HEADER, _BOUNDARY):
        return True
    if len(body) < 4:
        return False
    stream = int.from_bytes(body[:4], "little")
    if chunk.tag == _STREAM_HEADER:
        form = _format_of(body[4:])
        if form is None or stream in formats:
            return False
        formats[stream] = form
        return True
    if stream not in formats:
        return False
    if chunk.tag == _CLOCK:
        return len(body) == _CLOCK_BYTES
    if chunk.tag == _FOOTER:
        return _xml(body[4:]) is not None
    return _samples_fit(body, *formats[stream])


def _xml(text: bytes) -> ET.Element | None:
    try:
        return ET.fromstring(_cleaned(text))
    except (ET.ParseError, ValueError):
        return None


def _format_of(text: bytes) -> tuple[int, int] | None:
    """Return the number of channels and the bytes of a value (0 for text) of a stream's header."""
    root = _xml(text)
    if root is None:
        return None
    form = root.findtext("channel_format", "").strip()
    try:
        n_channels = int(root.findtext("channel_count", ""))
        float(root.findtext("nominal_srate", ""))
    except ValueError:
        return None
    if not 0 < n_channels <= _MOST_CHANNELS or not (form == "string" or form in _VALUE_BYTES):
        return None
    return n_channels, _VALUE_BYTES.get(form, 0)


def _counts_fit(content: bytes, chunks: list[_Chunk]) -> bool:
    """Tell whether no chunk claims more samples than it has bytes for: a reader allocates them."""
    formats: dict[int, tuple[int, int]] = {}
    for chunk in chunks:
        stream = int.from_bytes(content[chunk.content : chunk.content + 4], "little")
        if chunk.tag == _STREAM_HEADER:
            form = _format_of(content[chunk.content + 4 : chunk.end])
            if form is None:
                return False
            formats[stream] = form
        elif chunk.tag == _SAMPLES:
            n_channels, value_bytes = formats.get(stream, (1, 0))
            try:
                n_samples, at = _variable_length(content, chunk.content + 4)
            except (IndexError, ValueError):
                return False
            # one byte for the timestamp; a text needs two bytes for its length
            if n_samples * (1 + n_channels * (value_bytes or 2)) > chunk.end - at:
                return False
    return True


def _samples_fit(body: bytes, n_channels: int, value_bytes: int) -> bool:
    """Tell whether the samples of a chunk fill it to its last byte."""
    try:
        *_, end = _sample_ends(body, n_channels, value_bytes)
    except (struct.error, IndexError, ValueError):
        return False
    return end == len(body)


def _sample_ends(body: bytes, n_channels: int, value_bytes: int) -> Iterator[int]:
    n_samples, at = _variable_length(body, 4)
    if n_samples > len(body):
        raise ValueError("more samples than bytes")
    yield at
    for _ in range(n_samples):
        width = body[at]
        if width not in (0, 8):
            raise ValueError("a timestamp of another length")
        at += 1 + width
        if value_bytes:
            at += n_channels * value_bytes
        else:
            for _ in range(n_channels):
                length, at = _variable_length(body, at)
                at += length
        if at > len(body):
            raise ValueError("beyond the end")
        yield at


def _variable_length(body: bytes, at: int) -> tuple[int, int]:
    width = body[at]
    if width not in (1, 4, 8):
        raise ValueError("a length of another width")
    return int.from_bytes(body[at + 1 : at + 1 + width], "little"), at + 1 + width
