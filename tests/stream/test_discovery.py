from __future__ import annotations

import json
import time

import pylsl
import pytest

from sjepa_online.amplifier import load_profile, pick_channels
from sjepa_online.errors import InputError
from sjepa_online.foreign_text import clean_text
from sjepa_online.stream import DecisionOutlet, find_streams, resolve_stream

LABELS = ["O1", "O2"]


def test_streams_are_listed_with_their_channels(outlet):
    outlet("b", LABELS, source_id="amp")
    outlet("a", None, None, 0.0, "m", "Markers", 1, pylsl.cf_string)
    markers, signal = (s for s in find_streams(2.0) if s.name in "ab")
    assert signal.summary() | {"host": "", "uid": ""} == {
        "name": "b",
        "type": "EEG",
        "n_channels": 2,
        "sfreq": 250.0,
        "format": "float32",
        "unit": "microvolts",
        "host": "",
        "source_id": "amp",
        "uid": "",
        "channels": LABELS,
        "profile": None,
        "simulated": False,
        "problem": "",
    }
    assert (markers.sfreq, markers.format, markers.unit) == (0.0, "string", None)
    assert json.loads(json.dumps(markers.summary()))["channels"] == []


def test_a_source_that_has_told_its_channels_or_has_none_is_not_asked_again(outlet, monkeypatch):
    outlet("labelled", LABELS)
    outlet("bare", None, None, 0.0, "m", "Markers", 1, pylsl.cf_string)
    names = {"labelled", "bare"}
    open_inlet, asked = pylsl.StreamInlet, set()

    def note(info, **options):
        asked.add(info.name())
        return open_inlet(info, **options)

    monkeypatch.setattr(pylsl, "StreamInlet", note)
    end = time.monotonic() + 60.0
    seen = []
    while not names <= {stream.name for stream in seen}:
        assert time.monotonic() < end
        seen = find_streams(known=seen)
    assert names <= asked
    asked.clear()
    again = find_streams(known=seen)
    assert not names & asked
    assert all(stream.ch_names == tuple(LABELS) for stream in again if stream.name == "labelled")


def test_other_spellings_in_the_description_are_read():
    info = pylsl.StreamInfo("spelled", "EEG", 2, 250.0, "float32", "spelled")
    channels = info.desc().append_child("channels")
    for name in LABELS:
        channel = channels.append_child("channel")
        channel.append_child_value("name", name)
        channel.append_child_value("units", "uV")
    sender = pylsl.StreamOutlet(info)
    stream = resolve_stream("spelled")
    del sender
    assert (stream.ch_names, stream.unit) == (tuple(LABELS), "uV")


def test_an_incomplete_description_counts_as_none():
    info = pylsl.StreamInfo("partial", "EEG", 3, 250.0, "float32", "partial")
    channels = info.desc().append_child("channels")
    for name in LABELS:
        channels.append_child("channel").append_child_value("label", name)
    sender = pylsl.StreamOutlet(info)
    stream = resolve_stream("partial")
    del sender
    assert stream.ch_names == ()


def test_two_streams_of_one_name_must_be_told_apart(outlet):
    for k in (1, 2):
        outlet("twin", LABELS, source_id=f"amp {k}")
    with pytest.raises(InputError, match=r"source id amp [12].*source id amp [12]") as error:
        resolve_stream("twin")
    assert "twin@amp 1" in error.value.remedy
    assert "twin@amp 2" in error.value.remedy
    assert resolve_stream("twin@amp 2").source_id == "amp 2"
    assert resolve_stream("amp 1").source_id == "amp 1"


def test_a_replay_is_found_by_the_name_that_it_was_given(outlet):
    outlet("discovery-replay (simulated)", LABELS)
    assert resolve_stream("discovery-replay").name == "discovery-replay (simulated)"
    with pytest.raises(InputError, match="not in sight"):
        resolve_stream("discovery-replay", 0.5, exact=True)
    outlet("discovery-replay", LABELS)
    assert resolve_stream("discovery-replay").name == "discovery-replay"


def test_two_streams_alike_in_everything_are_told_apart_by_uid(outlet):
    senders = [outlet("same", LABELS) for _ in range(2)]
    uids = [sender.get_info().uid() for sender in senders]
    while len(find_streams()) < 2:
        pass  # on a busy machine one answers later than the other
    with pytest.raises(InputError, match="may be any of several") as error:
        resolve_stream("same")
    assert all(uid in error.value.remedy for uid in uids)
    assert resolve_stream(uids[1]).uid == uids[1]


def test_a_signal_and_its_markers_may_share_a_name(outlet):
    outlet("device", LABELS)
    outlet("device", None, None, 0.0, "test", "Markers", 1, pylsl.cf_string)
    assert resolve_stream("device").sfreq == 250
    assert resolve_stream("device", kind="markers").format == "string"


def test_without_a_name_the_only_eeg_stream_is_taken_and_own_decisions_are_not(outlet):
    with (
        DecisionOutlet("own"),
        pytest.raises(InputError, match=r"The marker stream is not in sight"),
    ):
        resolve_stream(None, wait=0.5, kind="markers")
    outlet("brain", LABELS)
    outlet("eyes", LABELS, stype="Gaze")
    outlet("events", None, None, 0.0, "events", "Markers", 1, pylsl.cf_string)
    with DecisionOutlet("own"):
        assert resolve_stream(None).name == "brain"
        assert resolve_stream(None, kind="markers").name == "events"
    outlet("another brain", LABELS)
    with pytest.raises(InputError, match="The EEG stream may be any of several") as error:
        resolve_stream(None)
    # as one types it in a shell
    assert '"another brain"' in error.value.remedy
    assert '"brain"' not in error.value.remedy


def test_one_profile_says_which_stream_of_a_device_is_meant_and_all_else(outlet):
    for number in (1, 2):
        outlet(f"obci_eeg{number}", None, None, source_id="openbcigui", n_channels=8)
    with pytest.raises(InputError, match=r"Say --amplifier openbci-cyton, which takes obci_eeg1"):
        resolve_stream(None)
    profile = load_profile("openbci-cyton")
    stream = resolve_stream(None, prefers=profile.prefers)
    assert stream.name == "obci_eeg1"
    assert len(pick_channels(stream.declaration, profile).ch_names) == 8
    assert resolve_stream("obci_eeg2", prefers=profile.prefers).name == "obci_eeg2"


def test_a_missing_stream_names_those_in_sight(outlet):
    outlet("present", LABELS)
    with pytest.raises(InputError, match=r"'absent' is not in sight: .*present \(EEG, 2 chan"):
        resolve_stream("absent", wait=0.5)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain µV [O1]", "plain µV [O1]"),
        ("\x1b]0;owned\x07 name\r\n", "name"),
        ("safe\u202egnp.exe\u200b", "safe gnp.exe"),
        ("x" * 300, "x" * 200),
    ],
)
def test_text_from_the_network_cannot_control_a_terminal(text, clean):
    assert clean_text(text) == clean


def test_a_hostile_name_is_shown_clean_and_can_still_be_chosen(outlet):
    outlet("evil\x1b[2J", ["O\n1", "O2"])
    stream = resolve_stream("evil")
    assert (stream.name, stream.ch_names) == ("evil", ("O 1", "O2"))
