from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest

from sjepa_online.data.source import load_source
from sjepa_online.data.xdf_reader import read_xdf_file
from sjepa_online.errors import InputError

SFREQ = 200.0


def _chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def _header(
    stream_id: int,
    name: str,
    kind: str,
    fmt: str,
    rate: float,
    n: int,
    desc: str,
    source_id: str = "",
) -> bytes:
    xml = (
        f"<info><name>{name}</name><type>{kind}</type><channel_count>{n}</channel_count>"
        f"<nominal_srate>{rate}</nominal_srate><channel_format>{fmt}</channel_format>"
        f"<source_id>{source_id}</source_id><desc>{desc}</desc></info>"
    )
    return _chunk(2, struct.pack("<I", stream_id) + xml.encode())


def _channels(labels: Sequence[str], unit: str | None, types: Sequence[str] | None = None) -> str:
    unit_tag = "" if unit is None else f"<unit>{unit}</unit>"
    types = types or ["EEG"] * len(labels)
    inner = "".join(
        f"<channel><label>{label}</label>{unit_tag}<type>{kind}</type></channel>"
        for label, kind in zip(labels, types, strict=True)
    )
    return f"<channels>{inner}</channels>"


def _eeg_samples(stream_id: int, times: np.ndarray, data: np.ndarray) -> bytes:
    content = struct.pack("<IBI", stream_id, 4, len(times))
    for time, sample in zip(times, data.T, strict=True):
        content += struct.pack("<Bd", 8, time) + sample.astype("<f4").tobytes()
    return _chunk(3, content)


def _marker(stream_id: int, time: float, label: str) -> bytes:
    text = label.encode()
    return _chunk(
        3,
        struct.pack("<IBI", stream_id, 4, 1)
        + struct.pack("<Bd", 8, time)
        + struct.pack("<BB", 1, len(text))
        + text,
    )


def _clock_offset(stream_id: int, time: float, offset: float) -> bytes:
    return _chunk(4, struct.pack("<Idd", stream_id, time, offset))


@pytest.fixture
def data() -> np.ndarray:
    return (15 * np.random.default_rng(3).standard_normal((3, 2000))).astype(np.float32)


@pytest.fixture
def write(tmp_path, data):
    """An amplifier (clock at 100 s) and a stimulus program on another computer's clock."""

    def write(
        desc: str | None = None,
        times: np.ndarray | None = None,
        extra: bytes = b"",
        kind: str = "EEG",
        clock_offset: float = 40.0,
    ):
        if times is None:
            times = 100.0 + np.arange(2000) / SFREQ
        desc = _channels(["Fz", "Cz", "Pz"], "microvolts") if desc is None else desc
        content = b"XDF:" + _chunk(1, b"<info><version>1.0</version></info>")
        content += _header(1, "amplifier", kind, "float32", SFREQ, 3, desc)
        content += _header(2, "stimuli", "Markers", "string", 0, 1, "")
        content += extra
        for t in (100.0, 105.0, 110.0):
            content += _clock_offset(1, t, 0.0)
            content += _clock_offset(2, t - clock_offset, clock_offset)
        for first in range(0, 2000, 500):
            stop = first + 500
            content += _eeg_samples(1, times[first:stop], data[:, first:stop])
        for onset, label in [(7.0, "Target"), (2.5, "NonTarget"), (50.0, "after the end")]:
            content += _marker(2, 100.0 - clock_offset + onset, label)
        path = tmp_path / "sub-01_ses-3_eeg.xdf"
        path.write_bytes(content)
        return path

    return write


def test_samples_names_and_markers_come_out(write, data):
    read = read_xdf_file(write())
    np.testing.assert_allclose(read.data, data, rtol=1e-6)
    assert (read.unit, read.sfreq, read.ch_names) == ("uV", 200.0, ("Fz", "Cz", "Pz"))
    np.testing.assert_allclose(read.onsets, [2.5, 7.0], atol=1e-3)
    assert read.labels == ("NonTarget", "Target")
    assert (read.subject, read.session) == ("01", "3")
    assert read.breaks.size == 0


def test_decisions_are_no_events_and_whole_numbers_are(write):
    extra = _header(3, "decoder", "Markers", "string", 0, 1, "", "sjepa-online-decisions:x@lab")
    extra += _marker(3, 104.0, "Target") + _header(4, "codes", "Markers", "int32", 0, 1, "")
    extra += _chunk(3, struct.pack("<IBIBdi", 4, 4, 1, 8, 103.0, 769))
    read = read_xdf_file(write(extra=extra))
    assert read.labels == ("NonTarget", "769", "Target")
    np.testing.assert_allclose(read.onsets, [2.5, 3.0, 7.0], atol=1e-3)


def test_units_are_converted(write, data):
    read = read_xdf_file(write(_channels(["Fz", "Cz", "Pz"], "millivolts")))
    np.testing.assert_allclose(read.data, 1000 * data, rtol=1e-6)


def test_only_eeg_channels_are_kept(write, data):
    desc = _channels(["Fz", "EOG1", "Pz"], "uV", ["EEG", "EOG", "EEG"])
    read = read_xdf_file(write(desc))
    assert read.ch_names == ("Fz", "Pz")
    np.testing.assert_allclose(read.data, data[[0, 2]], rtol=1e-6)


def test_gap_is_a_break_and_markers_behind_it_stay_with_their_samples(write):
    times = 100.0 + np.arange(2000) / SFREQ
    times[1000:] += 1.0  # 200 samples are lost after 5 s
    read = read_xdf_file(write(times=times))
    np.testing.assert_allclose(read.breaks, [5.0])
    # the marker 7 s after the start belongs to the sample 1200
    np.testing.assert_allclose(read.onsets, [2.5, 6.0], atol=1e-3)


def test_missing_unit_is_refused(write):
    with pytest.raises(InputError, match=r"unit of voltage.*--unit"):
        read_xdf_file(write(_channels(["Fz", "Cz", "Pz"], None)))


def test_missing_unit_may_be_given(write, data):
    path = write(_channels(["Fz", "Cz", "Pz"], None))
    (read,) = load_source(str(path), "mV")
    np.testing.assert_allclose(read.data, 1000 * data, rtol=1e-6)


def test_missing_channel_names_are_refused(write):
    with pytest.raises(InputError, match="0 descriptions for 3 channels"):
        read_xdf_file(write(desc=""))


def test_wrong_rate_is_refused(write):
    with pytest.raises(InputError, match="250 Hz measured, 200 Hz declared"):
        read_xdf_file(write(times=100.0 + np.arange(2000) / 250.0))


def test_several_eeg_streams_are_listed(write):
    extra = _header(3, "second amplifier", "EEG", "float32", 250, 1, "")
    with pytest.raises(InputError, match=r"2 such .* second amplifier \(EEG\)"):
        read_xdf_file(write(extra=extra))


def test_no_eeg_stream_is_refused(write):
    with pytest.raises(InputError, match=r"0 such .* amplifier \(Gaze\)"):
        read_xdf_file(write(kind="Gaze"))


def test_stream_without_samples_is_refused(write):
    extra = _header(3, "silent", "EEG", "float32", 250, 1, _channels(["Cz"], "uV"))
    with pytest.raises(InputError, match="samples"):
        read_xdf_file(write(extra=extra, kind="Gaze"))


def test_last_chunk_that_was_cut_off_is_left_out(write, data):
    path = write()
    path.write_bytes(path.read_bytes()[:-5000])  # within the last 500 samples
    read = read_xdf_file(path)
    np.testing.assert_allclose(read.data, data[:, :1500], rtol=1e-6)


@pytest.mark.parametrize("content", [b"", b"XDF", b"not a recording " * 50])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "notes.xdf"
    path.write_bytes(content)
    with pytest.raises(InputError, match="notes"):
        read_xdf_file(path)
