from __future__ import annotations

import pickle

import pytest

from sjepa_online.errors import InputError, OperationError


class _SpecialError(InputError):
    """A subclass, as another package might make one."""


def test_the_message_names_problem_value_and_remedy() -> None:
    error = InputError("The rate is not positive", value=-1, remedy="Correct it.")
    assert str(error) == "The rate is not positive: -1. Correct it."
    assert (error.problem, error.value, error.remedy) == (
        "The rate is not positive",
        -1,
        "Correct it.",
    )


@pytest.mark.parametrize(
    ("problem", "value", "finding"),
    [
        ("This machine has no device cuda", "cuda", "This machine has no device cuda."),
        ("This machine has no device cuda", "'cuda'", "This machine has no device cuda."),
        ("This machine has no device cuda:1", "cuda", "This machine has no device cuda:1."),
        ("This machine has no device cuda", "cud", "This machine has no device cuda: cud."),
        ("Fewer than 10 trials", 1, "Fewer than 10 trials: 1."),
        ("Fewer than 1.5 s", 1, "Fewer than 1.5 s: 1."),
        ("No such file", "a/b.fif", "No such file: a/b.fif."),
        ("The file is no TOML", "line 1, column 2.", "The file is no TOML: line 1, column 2."),
        ("No channel is named", "", "No channel is named."),
        ("This is a folder", ".", "This is a folder: ."),
    ],
)
def test_the_value_is_said_once(problem: str, value: object, finding: str) -> None:
    error = InputError(problem, value=value, remedy="Correct it.")
    assert error.finding == finding
    assert str(error) == f"{finding} Correct it."


def test_the_two_kinds_of_failure_are_apart() -> None:
    assert issubclass(InputError, ValueError)
    assert not issubclass(OperationError, InputError | ValueError)


@pytest.mark.parametrize("kind", [InputError, _SpecialError])
def test_it_survives_the_way_back_from_a_worker_process(kind: type[InputError]) -> None:
    """Processes hand exceptions over as pickles."""
    copy = pickle.loads(pickle.dumps(kind("problem", value=(1, "a"), remedy="remedy")))
    assert type(copy) is kind
    assert (copy.problem, copy.value, copy.remedy) == ("problem", (1, "a"), "remedy")
    assert str(copy) == str(kind("problem", value=(1, "a"), remedy="remedy"))
