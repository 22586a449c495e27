"""The two kinds of errors that a user meets, each with one message."""

from __future__ import annotations

import re


class InputError(ValueError):
    """The user's input is wrong; the command line ends with exit code 2.

    The message reads "problem: value. remedy". The value is left out where it is empty or where
    the problem already contains it.

    Parameters
    ----------
    problem : str
        What is wrong, as a sentence without a full stop: "This machine has no device cuda".
    value : object
        The input that is wrong.
    remedy : str
        What the user can do about it, as one or more whole sentences.

    Examples
    --------
    >>> str(InputError("No such file", value="x.fif", remedy="In this folder: y.fif."))
    'No such file: x.fif. In this folder: y.fif.'
    >>> str(InputError("This machine has no device cuda", value="cuda", remedy="Choose cpu."))
    'This machine has no device cuda. Choose cpu.'
    """

    def __init__(self, problem: str, *, value: object, remedy: str) -> None:
        self.problem = problem
        self.value = value
        self.remedy = remedy
        super().__init__(f"{self.finding} {remedy}")

    @property
    def finding(self) -> str:
        """The problem with its value, without the remedy, as a sentence."""
        told = str(self.value).strip()
        if not told or _contains(self.problem, told):
            return f"{self.problem}."
        return f"{self.problem}: {told}" if told.endswith(".") else f"{self.problem}: {told}."

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword arguments when a worker process hands the error back."""
        return _rebuild, (type(self), self.problem, self.value, self.remedy)


def _contains(sentence: str, value: str) -> bool:
    """Whether the sentence has the value in it as whole words, quoted or not."""
    bare = value.strip("'\"")
    return re.search(rf"(?<![\w.-]){re.escape(bare)}(?![\w-]|\.\w)", sentence) is not None


def _rebuild(cls: type[InputError], problem: str, value: object, remedy: str) -> InputError:
    return cls(problem, value=value, remedy=remedy)


class OperationError(RuntimeError):
    """Something failed that the user's input did not cause; exit code 1."""
