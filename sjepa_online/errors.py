"""The two kinds of failure that a user meets, each told in one message."""

from __future__ import annotations


class InputError(ValueError):
    """The user's input breaks a rule; the command line ends with exit code 2.

    Parameters
    ----------
    rule : str
        The rule that was broken, as a sentence without a full stop.
    value : object
        What was seen instead.
    remedy : str
        What the user can do about it.
    """

    def __init__(self, rule: str, *, value: object, remedy: str) -> None:
        self.rule = rule
        self.value = value
        self.remedy = remedy
        super().__init__(f"{rule}. Seen: {value}. {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword arguments when a worker process hands the error back."""
        return _rebuild, (type(self), self.rule, self.value, self.remedy)


def _rebuild(cls: type[InputError], rule: str, value: object, remedy: str) -> InputError:
    return cls(rule, value=value, remedy=remedy)


class OperationError(RuntimeError):
    """Something failed that the user's input did not cause; exit code 1."""
