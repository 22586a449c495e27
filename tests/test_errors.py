from __future__ import annotations

import pickle

import pytest

from sjepa_online.errors import InputError, OperationError


class _SpecialError(InputError):
    """A subclass, as another package might make one."""


def test_the_message_names_rule_value_and_remedy() -> None:
    error = InputError("A rate is positive", value=-1, remedy="Correct it.")
    assert str(error) == "A rate is positive. Seen: -1. Correct it."
    assert (error.rule, error.value, error.remedy) == ("A rate is positive", -1, "Correct it.")


def test_the_two_kinds_of_failure_are_apart() -> None:
    assert issubclass(InputError, ValueError)
    assert not issubclass(OperationError, InputError | ValueError)


@pytest.mark.parametrize("kind", [InputError, _SpecialError])
def test_it_survives_the_way_back_from_a_worker_process(kind: type[InputError]) -> None:
    """Processes hand exceptions over as pickles."""
    copy = pickle.loads(pickle.dumps(kind("rule", value=(1, "a"), remedy="remedy")))
    assert type(copy) is kind
    assert (copy.rule, copy.value, copy.remedy) == ("rule", (1, "a"), "remedy")
    assert str(copy) == str(kind("rule", value=(1, "a"), remedy="remedy"))
