from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest

from sjepa_online.amplifier import describe, load_profile
from sjepa_online.data.source import load_source
from sjepa_online.data.xdf_file import repair
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
    with pytest.raises(InputError, match=r"declares no unit of voltage.*--unit"):
        read_xdf_file(write(_channels(["Fz", "Cz", "Pz"], None)))


def test_missing_unit_may_be_given(write, data):
    path = write(_channels(["Fz", "Cz", "Pz"], None))
    (read,) = load_source(str(path), describe(unit="mV"))
    np.testing.assert_allclose(read.data, 1000 * data, rtol=1e-6)


def test_missing_channel_names_are_refused(write):
    with pytest.raises(InputError, match=r"does not name its channels.*--channels"):
        read_xdf_file(write(desc=""))


def test_wrong_rate_is_refused(write):
    with pytest.raises(InputError, match="250 Hz measured, 200 Hz declared"):
        read_xdf_file(write(times=100.0 + np.arange(2000) / 250.0))


def test_several_eeg_streams_are_listed(write):
    extra = _header(3, "second", "EEG", "float32", 200, 1, _channels(["Cz"], "uV"), "amp 2")
    times = 100.0 + np.arange(2000) / SFREQ
    extra += _eeg_samples(3, times, np.ones((1, 2000)))
    path = write(extra=extra)
    with pytest.raises(InputError, match=r"2 streams .* --stream 'amplifier' or --stream 'second'"):
        read_xdf_file(path)
    for selector in ("second", "second@amp 2", "amp 2", "second@amp 2/EEG", "sec*"):
        assert read_xdf_file(path, describe(stream=selector)).ch_names == ("Cz",)


def test_of_the_streams_of_one_device_the_one_that_its_profile_prefers_is_read(tmp_path):
    content = b"XDF:" + _chunk(1, b"<info><version>1.0</version></info>")
    times = 100.0 + np.arange(500) / 250
    for number in (1, 2):
        content += _header(number, f"obci_eeg{number}", "EEG", "float32", 250, 4, "", "openbcigui")
        content += _eeg_samples(number, times, np.full((4, 500), float(number)))
    path = tmp_path / "gui.xdf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"--amplifier openbci-ganglion, which takes obci_eeg1"):
        read_xdf_file(path)
    profile = describe(load_profile("openbci-ganglion"), channels="C3,C4,O1,O2")
    assert np.unique(read_xdf_file(path, profile).data) == [1]


def test_a_stream_of_another_type_is_read_when_it_is_named_or_the_only_one(write, data):
    path = write(kind="EXG")
    for profile in (describe(), describe(stream="amplifier")):
        np.testing.assert_allclose(read_xdf_file(path, profile).data, data, rtol=1e-6)
    with pytest.raises(InputError, match=r"no EEG stream 'absent'.*amplifier \(EXG, 2000 samples"):
        read_xdf_file(path, describe(stream="absent"))


def test_a_stream_without_samples_is_passed_over(write, data):
    extra = _header(3, "silent", "EEG", "float32", 250, 1, _channels(["Cz"], "uV"))
    path = write(extra=extra)
    np.testing.assert_allclose(read_xdf_file(path).data, data, rtol=1e-6)
    with pytest.raises(InputError, match="holds no samples"):
        read_xdf_file(path, describe(stream="silent"))


def test_numbers_and_several_texts_are_markers(write):
    extra = _header(3, "codes", "Markers", "float32", 0, 1, "")
    extra += _chunk(3, struct.pack("<IBIBdf", 3, 4, 1, 8, 103.0, 769.0))
    extra += _header(4, "pairs", "Markers", "string", 0, 2, "")
    texts = b"".join(struct.pack("<BB", 1, len(text)) + text for text in (b"trial 1", b" mk3=S  1"))
    extra += _chunk(3, struct.pack("<IBIBd", 4, 4, 1, 8, 104.0) + texts)
    path = write(extra=extra)
    labels = read_xdf_file(path).labels
    assert labels == ("NonTarget", "769", "trial 1", "S  1", "Target")
    named = read_xdf_file(path, describe(markers="pairs", events=["1=left_hand", "9=right_hand"]))
    assert named.labels == ("trial 1", "left_hand")
    assert any("these codes never come: 9" in note for note in named.notes)


def test_markers_of_another_clock_are_told(write):
    extra = _header(3, "unix", "Markers", "string", 0, 1, "") + _marker(3, 1.7e9, "left")
    (note,) = read_xdf_file(write(extra=extra)).notes
    assert "the 1 markers of unix are left out" in note


def test_a_signal_of_another_clock_is_shifted_to_its_markers(write):
    # offsets with noise, as they are measured: a line through them is wild at 1.7e9 s
    extra = _clock_offset(1, 102.0, 2e-5) + _clock_offset(1, 107.0, -1e-5)
    path = write(times=1.7e9 + np.arange(2000) / SFREQ, extra=extra)
    assert read_xdf_file(path).labels == ()
    shifted = describe().model_copy(update={"clock_shift": 100.0 - 1.7e9})
    read = read_xdf_file(path, shifted)
    assert read.labels == ("NonTarget", "Target")
    np.testing.assert_allclose(read.onsets, [2.5, 7.0], atol=2e-3)


def test_the_shift_that_the_recorder_has_measured_puts_markers_on_their_samples(write):
    times = 1.7e9 + np.arange(2000) / SFREQ
    footer = f"<info><clock_shift>{100.0 - 1.7e9}</clock_shift></info>".encode()
    path = write(times=times, extra=_chunk(6, struct.pack("<I", 1) + footer))
    read = read_xdf_file(path)
    assert read.labels == ("NonTarget", "Target")
    np.testing.assert_allclose(read.onsets, [2.5, 7.0], atol=0.01)


def test_codes_in_a_channel_are_events_where_no_marker_came(write, data, tmp_path):
    codes = np.zeros(2000)
    codes[400:440], codes[800:1200], codes[1200:1300] = 7, 8, 9
    desc = _channels(["Fz", "TRIGGER", "Pz"], "uV", ["EEG", "", "EEG"])
    content = b"XDF:" + _chunk(1, b"<info><version>1.0</version></info>")
    content += _header(1, "amplifier", "EEG", "float32", SFREQ, 3, desc)
    content += _clock_offset(1, 100.0, 0.0) + _clock_offset(1, 110.0, 0.0)
    signal = np.vstack([data[0], codes, data[2]])
    content += _eeg_samples(1, 100.0 + np.arange(2000) / SFREQ, signal)
    path = tmp_path / "codes.xdf"
    path.write_bytes(content)
    read = read_xdf_file(path)
    assert (read.ch_names, read.labels) == (("Fz", "Pz"), ("7", "8", "9"))
    np.testing.assert_allclose(read.onsets, [2.0, 4.0, 6.0], atol=1e-3)
    assert read_xdf_file(path, describe(markers="channel:TRIGGER")).labels == read.labels
    with pytest.raises(InputError, match=r"no channel.*'absent'.*channel:NAME"):
        read_xdf_file(path, describe(markers="channel:absent"))


def test_labels_and_units_of_other_channels_do_not_matter(write, data):
    inner = "<channel><name>Fz</name><unit>uV</unit></channel><channel><label>1</label></channel>"
    desc = (
        f"<channels>{inner}<channel><label>Pz</label><unit>millivolts</unit></channel></channels>"
    )
    read = read_xdf_file(write(desc))
    assert read.ch_names == ("Fz", "Pz")
    np.testing.assert_allclose(read.data, data[[0, 2]] * [[1], [1000]], rtol=1e-6)


def test_channels_can_be_named_and_the_unit_overridden(write, data):
    path = write(desc="")
    read = read_xdf_file(path, describe(channels="O1,-,O2", unit="mV", scale=0.5))
    assert read.ch_names == ("O1", "O2")
    np.testing.assert_allclose(read.data, 500 * data[[0, 2]], rtol=1e-6)
    with pytest.raises(InputError, match="has 3 channels, and 2 are named"):
        read_xdf_file(path, describe(channels="O1,O2", unit="mV"))


def test_a_damaged_file_is_read_as_far_as_it_is_whole(write, data, tmp_path):
    whole = write().read_bytes()
    first = whole.index(data[:, 500].astype("<f4").tobytes())
    damaged = tmp_path / "damaged.xdf"
    content = bytearray(whole)
    # within the second chunk of 500 samples: a timestamp's length, and a clock offset cut short
    content[first - 9] = 77
    damaged.write_bytes(bytes(content) + _clock_offset(1, 111.0, 0.0)[:-7])
    read = read_xdf_file(damaged)
    np.testing.assert_allclose(read.data, np.delete(data, np.s_[500:1000], axis=1), rtol=1e-6)
    assert "damaged" in read.notes[0]
    repaired = tmp_path / "repaired.xdf"
    assert "damaged" in repair(damaged, repaired)
    again = read_xdf_file(repaired)
    np.testing.assert_array_equal(again.data, read.data)
    assert again.notes == ()


def test_a_stream_without_a_rate_is_measured(tmp_path, data):
    rng = np.random.default_rng(0)
    times = 100.0 + np.arange(2000) / 200 + rng.uniform(0, 0.003, 2000)
    content = b"XDF:" + _chunk(1, b"<info><version>1.0</version></info>")
    content += _header(1, "amp", "EEG", "float32", 0, 3, _channels(["Fz", "Cz", "Pz"], "uV"))
    content += _eeg_samples(1, times, data)
    path = tmp_path / "rate.xdf"
    path.write_bytes(content)
    assert read_xdf_file(path).sfreq == 200.0
    ragged = 100.0 + np.cumsum(rng.exponential(0.02, 400) * rng.choice([0.1, 3.0], 400))
    path.write_bytes(
        content[: -len(_eeg_samples(1, times, data))] + _eeg_samples(1, ragged, data[:, :400])
    )
    with pytest.raises(InputError, match="declares no sampling rate"):
        read_xdf_file(path)


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
