"""What the decoder publishes over LSL: probabilities and decisions."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sjepa_online.errors import InputError
from sjepa_online.markers import DECISION_SOURCE, MARK_SOURCE
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.library import liblsl


class _Outlet(Closing):
    """What both kinds of outlet share."""

    def __init__(self, info: Any) -> None:
        self._outlet: Any = liblsl().StreamOutlet(info)
        #: Of this very stream.
        self.uid = str(self._outlet.get_info().uid())

    def close(self) -> None:
        """Take the stream off the network."""
        self._outlet = None


class ProbabilityOutlet(_Outlet):
    """A stream with one channel a class.

    Parameters
    ----------
    name : str
        Name of the stream.
    classes : sequence of str
        Names of the classes: the labels of the channels, of type ``probability``.
    sfreq : float
        Rate (Hz) of a decoder that slides regularly; 0 for one that is locked to markers.
    """

    def __init__(self, name: str, classes: Sequence[str], sfreq: float = 0.0) -> None:
        lsl = liblsl()
        self.classes = tuple(classes)
        info = lsl.StreamInfo(
            name,
            "Probability",
            len(self.classes),
            sfreq,
            lsl.cf_double64,
            f"sjepa-online-probabilities:{name}@{socket.gethostname()}",
        )
        info.set_channel_labels(list(self.classes))
        info.set_channel_types("probability")
        info.set_channel_units("none")
        super().__init__(info)

    def push(self, probabilities: ArrayLike, time: float) -> None:
        """Publish the probabilities of a window.

        Parameters
        ----------
        probabilities : array_like, shape (n_classes,)
            In the order of ``classes``.
        time : float
            Time (s, LSL clock) of the last sample that they rest on.

        Raises
        ------
        InputError
            There is not one probability a class.
        """
        values = np.asarray(probabilities, dtype=np.float64)
        if values.shape != (len(self.classes),):
            raise InputError(
                "The number of probabilities is not that of the classes",
                value=f"shape {values.shape} for {len(self.classes)} classes",
                remedy="Push the probabilities of one window at a time.",
            )
        self._outlet.push_sample(values.tolist(), time)


class _MarkerOutlet(_Outlet):
    """A stream of text, one channel called ``label``."""

    def __init__(self, name: str, source: str, label: str) -> None:
        lsl = liblsl()
        source_id = f"{source}:{name}@{socket.gethostname()}"
        info = lsl.StreamInfo(name, "Markers", 1, lsl.IRREGULAR_RATE, lsl.cf_string, source_id)
        info.set_channel_labels([label])
        info.set_channel_types("marker")
        super().__init__(info)


class DecisionOutlet(_MarkerOutlet):
    """A marker stream of decisions, each the name of a class.

    Parameters
    ----------
    name : str
        Name of the stream.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, DECISION_SOURCE, "decision")

    def push(self, label: str, time: float) -> None:
        """Publish a decision that rests on samples up to ``time`` (s, LSL clock).

        Parameters
        ----------
        label : str
            Name of the class.
        time : float
            LSL time (s) of the newest sample.
        """
        self._outlet.push_sample([label], time)


class MarkOutlet(_MarkerOutlet):
    """A marker stream of the operator's marks; nothing is decoded at them.

    Parameters
    ----------
    name : str
        Name of the stream.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, MARK_SOURCE, "mark")

    def push(self, text: str, time: float) -> None:
        """Publish a mark made at ``time`` (s, LSL clock).

        Parameters
        ----------
        text : str
            What the operator wrote.
        time : float
            LSL time (s) of the mark.
        """
        self._outlet.push_sample([text], time)
