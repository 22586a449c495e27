"""No stream on the network ends discovery, whatever it declares."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sjepa_online.stream import find_streams, resolve_stream

sys.path.insert(0, str(Path(__file__).parent))
from odd_sources import OddSources, declaration

#: What the streams declare that no stream can have.
IMPOSSIBLE = {
    "nominal_srate": (b"inf", b"-inf", b"nan", b"-1", b"1e9", b"1e308"),
    "channel_count": (b"0", b"-1", b"2147483647", b"10001"),
}
#: What is odd, and tells nothing wrong.
ODD = {
    "type": (b"\xff\xfe", b"&#27;[2J", b"", b"x" * 500),
    "hostname": (b"\xc3\x28", b"a'b"),
    "source_id": (b"\x80", b'it\'s "quoted"', b""),
    "channel_format": (b"float128", b""),
    "created_at": (b"nan", b"soon"),
    "version": (b"9.99", b""),
}
#: Descriptions that are not well formed.
BROKEN = (b"", b"<info>", b"\x00" * 50, b"<info><name>half</name>", b"<other/>")


@pytest.fixture
def sources():
    with OddSources() as odd:
        yield odd


def declared(port: int, kinds: dict[str, tuple[bytes, ...]], word: bytes) -> list[bytes]:
    values = [(field, value) for field, values in kinds.items() for value in values]
    return [
        declaration(b"%s %d" % (word, number), port, **{field: value})
        for number, (field, value) in enumerate(values)
    ]


@pytest.mark.slow
def test_sixty_faulty_sources_are_told_and_end_nothing(outlet, sources):
    impossible = declared(sources.port, IMPOSSIBLE, b"impossible")
    odd = declared(sources.port, ODD, b"odd")
    mute = [declaration(b"mute %d" % number, sources.port) for number in range(30)]
    sources.declarations = [*impossible, *odd, *mute, *BROKEN]
    assert len(sources.declarations) >= 60
    outlet("sound", ["O1", "O2"])
    begin = time.monotonic()
    found = {stream.name: stream for stream in find_streams(2.0)}
    # the 45 that accept and never answer are asked 16 at once, each for 2 s
    assert time.monotonic() - begin < 15.0
    assert found["sound"].ch_names == ("O1", "O2")
    # liblsl itself leaves out what it cannot read as a number
    told = [stream.problem for name, stream in found.items() if name.startswith("impossible")]
    assert len([one for one in told if "none that a stream can have" in one]) >= 3
    assert len([one for one in told if "is no sampling rate" in one]) >= 2
    assert all(told)
    silent = [stream for name, stream in found.items() if name.startswith("mute")]
    assert len(silent) == 30
    assert not any(stream.asked for stream in silent)
    assert resolve_stream("sound").ch_names == ("O1", "O2")
