"""MOABB's evaluations run on its own fake data sets, into which classes are planted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.moabb_evaluation import EpochClassifier, evaluate_moabb
from sjepa_online.protocol import Protocol, load_protocol

FakeDataset = pytest.importorskip("moabb.datasets.fake").FakeDataset

SFREQ = 250
CH_NAMES = ("C3", "Cz", "C4")


class PlantedDataset(FakeDataset):
    """Where the first class is on, 10 Hz stand at the first channel, else at the last."""

    def _generate_raw(self, n_events, duration):
        raw = super()._generate_raw(n_events, duration)
        for sample, _, code in self._generate_events(n_events, duration):
            seconds = np.arange(3 * SFREQ) / SFREQ
            phase = np.random.uniform(0, 2 * np.pi)  # noqa: NPY002
            channel = 0 if code == 1 else len(self.channels) - 1
            raw._data[channel, sample : sample + len(seconds)] += 3e-5 * np.cos(
                2 * np.pi * 10 * seconds + phase
            )
        return raw


def _dataset(events, paradigm, channels=CH_NAMES, n_sessions=2):
    return PlantedDataset(
        event_list=events, n_sessions=n_sessions, n_runs=1, n_subjects=2, paradigm=paradigm,
        channels=channels, sfreq=SFREQ, duration=150, n_events=40, seed=1,
    )  # fmt: skip


def _protocol(paradigm, names, length=1.1875, frequencies=None):
    return Protocol.model_validate(
        {
            "name": "fake",
            "paradigm": paradigm,
            "window": {"start": 0.25, "length": length},
            "classes": [
                {"name": name, "frequency": (frequencies or {}).get(name)} for name in names
            ],
        }
    )


@pytest.mark.parametrize("evaluation", ["within-session", "cross-session"])
def test_a_decoder_finds_the_planted_classes_in_both_evaluations(evaluation):
    dataset = _dataset(("left_hand", "right_hand"), "imagery")
    subjects = dataset.subject_list
    rows = evaluate_moabb(
        dataset,
        _protocol("mi", ("right_hand", "left_hand")),  # not MOABB's order
        [DecoderRequest("riemann")],
        subjects=[2],
        evaluation=evaluation,
    )
    assert [(row["subject"], row["decoder"]) for row in rows] == [("2", "riemann")] * 2
    assert {row["session"] for row in rows} == {"0", "1"}
    assert all(row["score"] > 0.9 and row["n_channels"] == 3 for row in rows)
    assert dataset.subject_list == subjects


def test_erp_and_ssvep_run_too():
    erp = _dataset(("Target", "NonTarget"), "p300", n_sessions=1)
    protocol = _protocol("erp", ("Target", "NonTarget"))
    rows = evaluate_moabb(erp, protocol, [DecoderRequest("riemann")], subjects=[1])
    assert 0 <= rows[0]["score"] <= 1
    ssvep = _dataset(("10.0", "rest"), "ssvep", channels=("Oz", "O1", "Cz"), n_sessions=1)
    protocol = _protocol("ssvep", ("10.0", "rest"), 2.0, {"10.0": 10.0})
    rows = evaluate_moabb(ssvep, protocol, [DecoderRequest("riemann")], subjects=[1])
    assert rows[0]["score"] > 0.9


def test_moabb_gives_the_classifier_microvolts_at_128_hz(monkeypatch):
    seen = []

    def spy(self, X):
        seen.append(X)
        return window(self, X)

    window = EpochClassifier._window
    monkeypatch.setattr(EpochClassifier, "_window", spy)
    dataset = _dataset(("left_hand", "right_hand"), "imagery", n_sessions=1)
    protocol = _protocol("mi", ("left_hand", "right_hand"))
    evaluate_moabb(dataset, protocol, [DecoderRequest("riemann")], subjects=[1])
    X = seen[0]
    assert protocol.n_times <= X.shape[2] <= protocol.n_times + 1
    # 20 µV of white noise up to 125 Hz, of which the filter leaves 0.5 to 40 Hz
    assert X[:, 1].std() == pytest.approx(20 * np.sqrt(39.5 / 125), rel=0.1)


def _epochs(n_times=160, scale=1.0):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = 10 * rng.standard_normal((40, 3, n_times))
    X[y == 0, 0] += 20 * np.sin(2 * np.pi * 10 * np.arange(n_times) / 128)
    X[y == 1, 2] += 20 * np.sin(2 * np.pi * 10 * np.arange(n_times) / 128)
    return scale * X, y


def _classifier():
    names = ("left_hand", "right_hand")
    request = DecoderRequest("riemann")
    return EpochClassifier(request, _protocol("mi", names), CH_NAMES, names)


def test_the_classifier_is_a_scikit_learn_estimator():
    X, y = _epochs()
    classifier = _classifier()
    copied = clone(classifier)
    assert copied is not classifier
    assert copied.get_params() == classifier.get_params()
    assert cross_val_score(classifier, X, y, cv=4, scoring="roc_auc").min() > 0.95
    classifier.fit(X, y)
    assert classifier.predict_proba(X).shape == (40, 2)
    assert np.mean(classifier.predict(X) == y) > 0.95


def test_what_lies_beyond_the_window_has_no_influence():
    X, y = _epochs()
    longer = np.concatenate([X, 1e3 * np.ones_like(X)], axis=2)[:, :, : X.shape[2] + 2]
    classifier = _classifier().fit(X[:, :, :153], y)
    np.testing.assert_array_equal(
        classifier.predict_proba(X[:, :, :152]), classifier.predict_proba(longer)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_times": 140}, "at least 152 samples"),
        ({"scale": 1e-6}, "uV"),
    ],
)
def test_short_epochs_and_volts_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        _classifier().fit(*_epochs(**change))


def test_a_class_without_trials_is_refused():
    X, y = _epochs()
    with pytest.raises(InputError, match="Training needs 1"):
        _classifier().fit(X[y == 0], y[y == 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"protocol": load_protocol("erp")}, "paradigm imagery"),
        ({"protocol": _protocol("mi", ("feet", "left_hand"))}, "left_hand, right_hand"),
        ({"subjects": [7]}, "1 to 2"),
        ({"evaluation": "cross-session"}, "has 1"),
    ],
)
def test_a_data_set_that_does_not_suit_is_refused(arguments, message):
    dataset = _dataset(("left_hand", "right_hand"), "imagery", n_sessions=1)
    values = {"protocol": load_protocol("mi"), "subjects": [1]} | arguments
    protocol = values.pop("protocol")
    with pytest.raises(InputError, match=message):
        evaluate_moabb(dataset, protocol, [DecoderRequest("riemann")], **values)
