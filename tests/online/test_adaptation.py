"""A decoder that adapts to the trials it has decided on, offline and in chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray
from scipy.special import expit

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import Decoder, EpochClassifier, State
from sjepa_online.decoding.base import EPOCHS, Features
from sjepa_online.decoding.dynamic_stopping import PrefixClassifier
from sjepa_online.evaluation.in_turn import each_alone, in_turn
from sjepa_online.online import Decision, Engine, EngineEvent, decode_recording
from sjepa_online.protocol import Protocol
from sjepa_online.typing import BoolMask

CLASSES = ("right", "left")


class Centred(EpochClassifier):
    """Compares the power of the first channel with the mean power of the epochs so far."""

    kind = "centred"

    def __init__(self, adapts: bool = True, notes: tuple[str, ...] = ()) -> None:
        super().__init__(CLASSES)
        self.adapts = adapts
        self.told = notes
        self.mean = 4.0
        self.n_seen = 0

    @property
    def notes(self) -> tuple[str, ...]:
        return self.told

    @property
    def handles_bad_channels(self) -> bool:
        return True

    def features(self, X: NDArray[Any]) -> Features:
        return {EPOCHS: np.log(X[:, 0].var(axis=-1) + 1.0)}

    def predict_features(self, features: Features) -> NDArray[np.float64]:
        p = expit(0.2 * (features[EPOCHS] - self.mean))
        return np.stack([p, 1 - p], axis=1)

    def _predict_epochs(self, X: NDArray[Any], bad: BoolMask | None) -> NDArray[np.float64]:
        return self.predict_features(self.features(X))

    def adapt(self, X: NDArray[Any]) -> None:
        for power in self.features(X)[EPOCHS]:
            self.n_seen += 1
            self.mean += (power - self.mean) / (self.n_seen + 1)

    def _fit_targets(self, features: Features, targets: NDArray[np.intp], _: bool) -> None:
        """Do nothing: every parameter is given."""

    def to_state(self) -> State:
        raise NotImplementedError

    @classmethod
    def from_state(cls, state: State, restore: Any) -> Any:
        raise NotImplementedError


MakeDecoder = Callable[..., Decoder]


@pytest.fixture
def adaptive(simulated_recording: Callable[..., Recording], make_decoder: MakeDecoder) -> Decoder:
    return make_decoder(simulated_recording(), classifier=Centred())


@pytest.fixture
def stopping(
    simulated_recording: Callable[..., Recording], make_decoder: MakeDecoder, protocol: Protocol
) -> Decoder:
    """Decides after 0.5 s at the earliest, and adapts to whole windows."""
    prefixes = {64: Centred(), protocol.n_times: Centred()}
    return make_decoder(simulated_recording(), classifier=PrefixClassifier(prefixes, 0.6))


def _probabilities(results: Any) -> NDArray[np.float64]:
    return np.array([one.probabilities["right"] for one in results if isinstance(one, Decision)])


def _told(results: Any) -> list[str]:
    return [one.detail for one in results if isinstance(one, EngineEvent)]


@settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cuts=st.lists(st.integers(0, 4250), max_size=25), stops=st.booleans())
def test_chunks_have_no_influence(
    cuts: list[int],
    stops: bool,
    adaptive: Decoder,
    stopping: Decoder,
    recording: Recording,
    make_engine: Callable[..., Engine],
    push: Callable[..., Any],
    assert_same: Callable[..., None],
) -> None:
    decoder = stopping if stops else adaptive
    # windows overlap, so that some early decisions come before the last window is complete
    dense = replace(recording, onsets=np.linspace(1.0, 9.0, 8))
    expected = decode_recording(decoder, dense)
    assert_same(push(make_engine(decoder, dense), dense, cuts), expected)
    assert _told(expected)


def test_each_decision_rests_on_the_trials_before_it(
    adaptive: Decoder, recording: Recording
) -> None:
    still = _probabilities(decode_recording(adaptive, recording, adapt=False))
    moved = _probabilities(decode_recording(adaptive, recording))
    assert moved[0] == still[0]
    by_hand = Centred()
    logit = np.log(still / (1 - still))
    for index, power in enumerate(logit / 0.2 + 4.0):
        assert moved[index] == pytest.approx(expit(0.2 * (power - by_hand.mean)))
        by_hand.n_seen += 1
        by_hand.mean += (power - by_hand.mean) / (by_hand.n_seen + 1)


def test_the_decoder_that_is_given_stays_as_it_is(adaptive: Decoder, recording: Recording) -> None:
    first = decode_recording(adaptive, recording)
    assert adaptive.classifier.mean == 4.0
    assert _probabilities(decode_recording(adaptive, recording)).tolist() == (
        _probabilities(first).tolist()
    )


@pytest.mark.parametrize("options", [{"mode": "sliding"}, {"adapt": False}])
def test_it_stays_still_where_it_is_told_to_or_windows_slide(
    options: dict[str, Any], adaptive: Decoder, recording: Recording
) -> None:
    assert _told(decode_recording(adaptive, recording, **options)) == []


def test_bad_channels_and_artefacts_are_left_out(adaptive: Decoder, recording: Recording) -> None:
    assert _told(decode_recording(adaptive, recording, bad=["Pz"])) == []
    data = recording.data.copy()
    second = round(recording.onsets[1] * recording.sfreq)
    data[:, second + 100 : second + 110] += 2000.0
    loud = replace(recording, data=data)
    still = _probabilities(decode_recording(adaptive, loud, adapt=False, monitor=False))
    moved = _probabilities(decode_recording(adaptive, loud, monitor=False))
    quiet = _probabilities(decode_recording(adaptive, recording, monitor=False))
    # the third trial rests on the first alone
    centred = Centred()
    first = np.log(quiet[0] / (1 - quiet[0])) / 0.2 + 4.0
    centred.mean += (first - centred.mean) / 2
    third = np.log(still[2] / (1 - still[2])) / 0.2 + 4.0
    assert moved[2] == pytest.approx(expit(0.2 * (third - centred.mean)))


def test_it_tells_how_many_trials_it_has_seen(
    adaptive: Decoder, simulated_recording: Callable[..., Recording]
) -> None:
    results = decode_recording(adaptive, simulated_recording(n_trials=20, seed=2))
    told = [one for one in results if isinstance(one, EngineEvent)]
    assert {one.event for one in told} == {"adapting"}
    assert ["1 trial " in told[0].detail, "10 trials" in told[1].detail] == [True, True]
    assert "20 trials" in told[2].detail
    assert len(told) == 3


def test_what_the_calibration_found_is_told_once(
    make_decoder: MakeDecoder, recording: Recording
) -> None:
    decoder = make_decoder(recording, classifier=Centred(False, ("not sure of this person",)))
    for mode in ("markers", "sliding"):
        results = decode_recording(decoder, recording, mode=mode)
        assert _told(results) == ["not sure of this person"]
        assert results[0].event == "decoder-note"


@pytest.mark.parametrize("dense", [False, True])
def test_the_trials_of_an_evaluation_adapt_as_live_ones_do(
    dense: bool, adaptive: Decoder, recording: Recording
) -> None:
    """Also where windows overlap, and where one of them holds an artefact."""
    if dense:
        onsets = np.linspace(1.0, 9.0, 8)
        recording = replace(recording, onsets=onsets, labels=CLASSES * 4)
    data = recording.data.copy()
    second = round(recording.onsets[1] * recording.sfreq)
    data[:, second + 100 : second + 110] += 2000.0
    recording = replace(recording, data=data)
    trials = make_trials([recording], adaptive.protocol, adaptive.preprocessing)
    # of the amplitude that the decoder's calibration is said to have
    calibration = replace(trials, X=np.full_like(trials.X, 0.6745 * 10.0))
    found = in_turn(calibration)(adaptive.classifier, trials)
    live = _probabilities(decode_recording(adaptive, recording, monitor=False))
    np.testing.assert_allclose(found[:, 0], live, rtol=1e-5)
    still = each_alone(adaptive.classifier, trials)
    assert np.abs(found - still).max() > 1e-3
    np.testing.assert_array_equal(in_turn(calibration)(Centred(adapts=False), trials), still)
    assert adaptive.classifier.mean == 4.0


def test_windows_of_two_recordings_do_not_overlap(adaptive: Decoder, recording: Recording) -> None:
    protocol, config = adaptive.protocol, adaptive.preprocessing
    one, both = (make_trials([recording] * n, protocol, config) for n in (1, 2))
    later = replace(both, onset=both.onset - 5.0 * both.recording)
    decided = in_turn(one)(adaptive.classifier, later)
    centred = Centred()
    for index, epoch in enumerate(later.X):
        assert decided[index, 0] == centred.predict_proba(epoch[np.newaxis])[0, 0]
        centred.adapt(epoch[np.newaxis])
