"""scikit-learn's own checks of an estimator, on epochs made from their tables of features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sjepa_online.decoding import SJEPAClassifier

pytestmark = pytest.mark.filterwarnings("ignore:SJEPAClassifier loses accuracy:UserWarning")

N_TIMES = 152
#: Checks whose wish is met in another way.
DIFFERENT = {
    "check_classifiers_regression_target": "every label is a class, and a class of one epoch is "
    "refused as too small, in our words",
    "check_supervised_y_2d": "labels of a wrong shape are refused, not flattened with a warning",
    "check_fit2d_1sample": "one epoch is refused, in our words",
    "check_requires_y_none": "missing labels are refused, in our words",
}


class OnFeatures(SJEPAClassifier):
    """Each feature becomes a channel whose amplitude it sets.

    scikit-learn checks estimators of tables; all that is not the shape of the input, from
    parameters and cloning to pickling, repeated fits and the order of trials, is inherited.
    """

    def fit(self, X: Any, y: Any) -> Self:
        return super().fit(self._epochs(X, reset=True), np.asarray(y))

    def predict_proba(self, X: Any, bad: Any = None) -> NDArray[np.floating[Any]]:
        check_is_fitted(self)
        return super().predict_proba(self._epochs(X, reset=False), bad)

    def _epochs(self, X: Any, reset: bool) -> NDArray[np.float64]:
        table = validate_data(self, X, reset=reset, dtype=np.float64)
        rng = np.random.default_rng(0)
        carriers, texture = rng.standard_normal((2, table.shape[1], N_TIMES))
        amplitudes = np.exp(np.clip(0.3 * table, -5, 5))
        return amplitudes[:, :, np.newaxis] * carriers + 0.1 * texture

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.slow
def test_the_estimator_passes_the_checks_that_apply():
    estimator = OnFeatures(weights="random", random_state=0, paradigm="mi")
    results = check_estimator(
        estimator, expected_failed_checks=DIFFERENT, on_fail=None, on_skip=None
    )
    failed = {
        result["check_name"]: str(result["exception"])
        for result in results
        if result["status"] == "failed"
    }
    assert failed == {}
    assert sum(result["status"] == "passed" for result in results) >= 49
    different = {result["check_name"] for result in results if result["status"] == "xfail"}
    assert different == set(DIFFERENT)


@pytest.mark.parametrize("paradigm", ["mi", "erp"])
def test_a_single_channel_is_enough(paradigm):
    """Imagery shows as power, a response to an event as its shape."""
    y = np.arange(40) % 2
    noise = np.random.default_rng(0).standard_normal((40, 1, N_TIMES)) * 10
    bump = 15 * np.exp(-0.5 * ((np.arange(N_TIMES) - 40) / 8) ** 2)
    powerful, shaped = noise * (1 + 2 * y[:, None, None]), noise + y[:, None, None] * bump
    X = powerful if paradigm == "mi" else shaped
    classifier = SJEPAClassifier(weights="random", random_state=0, paradigm=paradigm).fit(X, y)
    assert np.mean(classifier.predict(X) == y) > 0.8
