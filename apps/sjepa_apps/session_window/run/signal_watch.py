"""The signal while trials are shown: seconds of traces and the state of the electrodes.

A thread of its own reads the stream and draws the traces, so that the thread that draws the
participant's frames only copies a picture.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PyQt6.QtGui import QImage

from sjepa_apps.session_window.run.trace_picture import StripLayout, draw_traces
from sjepa_apps.ui.worker import Worker
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal import Preprocessor
from sjepa_online.signal.channel_quality.absolute import AbsoluteMonitor, Verdict
from sjepa_online.stream import Chunk, Gap, SignalInlet, StreamDescription, resolve_stream

#: Seconds of signal in the strip.
SHOWN_SECONDS = 8.0
#: Lanes of the strip at most; with more channels, bad ones come first.
MOST_LANES = 16
#: Seconds between two pictures, and without a sample after which the signal counts as lost.
PICTURE_EVERY, LOST_AFTER = 0.25, 1.0
_PAUSE = 0.03


@dataclass(frozen=True)
class SignalState:
    """What is known of the signal at one time.

    Attributes
    ----------
    receiving : bool
        Whether samples come.
    silence : float
        Seconds since the last sample.
    missing : int
        Samples that were lost since the run began.
    n_channels : int
    verdicts : tuple of Verdict
        One a channel; empty in the first second.
    picture : QImage or None
        The traces.
    problem : str
        Why there is no signal, for people; empty while there is one.
    failed : bool
        Whether nobody reads the stream any more, because of an error that nobody expects.
    heard : bool
        Whether samples have come before.
    impedances : mapping of str to float
        Newest impedance (kΩ) of each electrode, where the stream carries them.
    """

    receiving: bool = False
    silence: float = 0.0
    missing: int = 0
    n_channels: int = 0
    verdicts: tuple[Verdict, ...] = ()
    picture: QImage | None = None
    problem: str = "Connecting to the signal …"
    failed: bool = False
    heard: bool = False
    impedances: Mapping[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> bool:
        """Whether a signal that was there has gone."""
        return self.failed or (not self.receiving and (self.heard or self.n_channels > 0))


class SignalWatch(Worker):
    """Follow a stream until :meth:`stop`, also after it was lost.

    Parameters
    ----------
    stream : StreamDescription
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    layout : StripLayout
        Size and colours of the traces; may be replaced at any time.

    Attributes
    ----------
    state : SignalState
        Replaced about four times a second.
    """

    def __init__(
        self, stream: StreamDescription, amplifier: AmplifierProfile, layout: StripLayout
    ) -> None:
        super().__init__(f"watch on {stream.name}")
        self.state = SignalState()
        self.layout = layout
        self._stream = stream
        self._amplifier = amplifier
        self._missing = 0
        self._heard = False

    def work(self) -> None:
        """Read, and after a loss look for the stream again."""
        stream: StreamDescription | None = self._stream
        while not self._ended.is_set():
            try:
                self._follow(stream or self._find_again())
            except (InputError, OperationError) as error:
                self.state = SignalState(
                    missing=self._missing, problem=str(error), heard=self._heard
                )
                self._ended.wait(0.5)
            stream = None

    def _find_again(self) -> StreamDescription:
        try:
            return resolve_stream(self._stream.selector, 1.0, exact=True)
        except InputError as error:
            # the page has no room for all other streams in sight
            raise OperationError(
                f"{error.problem}. Start its source; it is picked up by itself."
            ) from error

    def _follow(self, stream: StreamDescription) -> None:
        with SignalInlet(stream, amplifier=self._amplifier, recover=False) as inlet:
            signal = _Signal(inlet.ch_names, inlet.sfreq, inlet.unit_of())
            heard = drawn = time.monotonic()
            while not self._ended.is_set():
                chunk = inlet.pull()
                now = time.monotonic()
                if len(chunk.timestamps):
                    heard = now
                    self._heard = True
                    signal.update(chunk)
                if now - drawn >= PICTURE_EVERY:
                    drawn = now
                    self._tell(signal, now - heard, inlet)
                    if now - heard > LOST_AFTER and inlet.lost:
                        return
                self._ended.wait(_PAUSE)

    def _tell(self, signal: _Signal, silence: float, inlet: SignalInlet) -> None:
        receiving = silence <= LOST_AFTER
        name = inlet.stream.name
        self.state = SignalState(
            receiving,
            silence,
            self._missing + inlet.missing,
            len(signal.names),
            signal.verdicts if receiving else (),
            signal.draw(self.layout, receiving),
            "" if receiving else f"{name} has sent nothing for {silence:.0f} s",
            impedances=signal.impedances if receiving else {},
        )
        if not receiving and inlet.lost:
            self._missing += inlet.missing


class _Signal:
    """The last seconds of a signal as training reads it, and the verdicts on its channels."""

    def __init__(self, names: tuple[str, ...], sfreq: float, unit: str) -> None:
        self.names = names
        self._preprocessor = Preprocessor(names, sfreq, unit)
        self._monitor = AbsoluteMonitor(names, sfreq, unit)
        self._data = np.full((len(names), round(SHOWN_SECONDS * MODEL_SFREQ)), np.nan)
        self.impedances: Mapping[str, float] = {}

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """A verdict on each channel."""
        return self._monitor.verdicts

    def update(self, chunk: Chunk) -> None:
        """Take in a chunk; a gap stays empty in the traces."""
        self.impedances = chunk.impedances
        if any(isinstance(event, Gap) for event in chunk.events):
            self._preprocessor.reset()
            self._monitor.reset()
            self._append(np.full((len(self.names), MODEL_SFREQ // 4), np.nan))
        self._monitor.update(chunk.data)
        self._append(self._preprocessor.update(chunk.data))

    def draw(self, layout: StripLayout, receiving: bool) -> QImage:
        """Draw the traces of as many channels as there is room for, bad ones first."""
        bad = [verdict.channel for verdict in self.verdicts if verdict.bad]
        chosen = choose_lanes(self.names, bad, min(MOST_LANES, layout.most_lanes))
        rows = [self.names.index(name) for name in chosen]
        return draw_traces(
            layout, chosen, self._data[rows], set(bad), SHOWN_SECONDS, faded=not receiving
        )

    def _append(self, samples: np.ndarray) -> None:
        n = min(samples.shape[1], self._data.shape[1])
        if n:
            self._data = np.concatenate([self._data[:, n:], samples[:, -n:]], axis=1)


def choose_lanes(names: tuple[str, ...], bad: list[str], n_lanes: int) -> tuple[str, ...]:
    """Choose the channels to draw, in their order: bad ones, and others from all over the head.

    Parameters
    ----------
    names : tuple of str
        All channels.
    bad : list of str
    n_lanes : int
        How many there is room for.
    """
    if len(names) <= n_lanes:
        return names
    kept = set(bad[:n_lanes])
    others = [name for name in names if name not in kept]
    n_others = n_lanes - len(kept)
    places = np.linspace(0, len(others) - 1, n_others).round().astype(int)
    kept.update(others[place] for place in places.tolist())
    return tuple(name for name in names if name in kept)
