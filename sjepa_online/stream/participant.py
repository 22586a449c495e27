"""A simulated participant as an LSL stream, who answers the markers of another stream."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream.background import Background
from sjepa_online.stream.discovery import StreamDescription, resolve_stream
from sjepa_online.stream.inlets import Marker, MarkerInlet
from sjepa_online.stream.library import liblsl, local_clock
from sjepa_online.stream.stimulus import STIMULUS_STREAM

if TYPE_CHECKING:
    from sjepa_online.data.simulated import SimulatedParticipant

PARTICIPANT_NAME = "sjepa-online-participant"

_CHUNK = 0.02  # s
# how long one look for the markers, and one wait for a marker, takes (s); ending takes as long
_LOOK = 0.7
_PULL = 0.05


class ParticipantStream(Background):
    """Send a simulated participant's EEG in real time.

    Sample i is stamped ``i / sfreq`` after the start, and sent when it would have been taken.
    A marker is answered at its own time, to the sample, when it arrives within
    :data:`~sjepa_online.data.simulated.RESPONSE_DELAY`; one that arrives later is answered as
    far as time has not passed, and reported. The marker stream may appear, vanish and return;
    while more than one has the name, none is answered.

    Use :meth:`run` to send in the calling thread, or the object as a context manager to send in
    a thread of its own.

    Parameters
    ----------
    participant : SimulatedParticipant
    name : str
        Name of the stream; " (simulated)" is added.
    markers : str
        Name, source id or other selector of the marker stream.
    report : callable
        Takes a message when the marker stream is missing, found or lost, or a marker is late.
    """

    def __init__(
        self,
        participant: SimulatedParticipant,
        *,
        name: str = PARTICIPANT_NAME,
        markers: str = STIMULUS_STREAM,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.participant = participant
        self.name = f"{name} (simulated)"
        #: LSL time (s) of the first sample, once the stream is there.
        self.started_at: float | None = None
        self._markers = markers
        self._report = report
        self._received: queue.SimpleQueue[Marker] = queue.SimpleQueue()
        self._stop = threading.Event()

    def run(self, seconds: float = np.inf) -> None:
        """Send for so long (s), or until :meth:`stop` or Ctrl-C.

        Parameters
        ----------
        seconds : float
            Length of the signal (s); without end by default.

        Raises
        ------
        InputError
            The stream that is named as that of the markers carries something else.
        """
        outlet = self._open()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="markers") as executor:
            listening = executor.submit(self._listen)
            try:
                self._send(outlet, seconds, listening)
            finally:
                self._stop.set()
        listening.result()

    def stop(self) -> None:
        """Ask the stream to end; it does so within a second."""
        self._stop.set()

    def _open(self) -> Any:
        """Create the outlet; its source id lets consumers pick up a restarted stream."""
        lsl = liblsl()
        participant = self.participant
        info = lsl.StreamInfo(
            self.name,
            "EEG",
            len(participant.ch_names),
            participant.sfreq,
            lsl.cf_float32,
            f"sjepa-online-participant:{self.name}@{socket.gethostname()}",
        )
        info.set_channel_labels(list(participant.ch_names))
        info.set_channel_types("EEG")
        info.set_channel_units("microvolts")
        info.desc().append_child_value("simulated", "true")
        return lsl.StreamOutlet(info)

    def _send(self, outlet: Any, seconds: float, listening: Future[None]) -> None:
        participant = self.participant
        sfreq = participant.sfreq
        n_chunk = max(1, round(_CHUNK * sfreq))
        origin = local_clock() - participant.n_generated / sfreq
        self.started_at = origin
        while participant.n_generated < seconds * sfreq and not listening.done():
            first = participant.n_generated
            n = int(min(n_chunk, np.ceil(seconds * sfreq) - first))
            last_sample = origin + (first + n - 1) / sfreq
            if self._stop.wait(max(0.0, last_sample - local_clock())):
                return
            self._show(origin)
            chunk = participant.generate(n)
            times = origin + (first + np.arange(n)) / sfreq
            outlet.push_chunk(np.ascontiguousarray(chunk.T), times.tolist())

    def _show(self, origin: float) -> None:
        """Show the participant what has arrived."""
        while not self._received.empty():
            marker = self._received.get()
            time = marker.time - origin
            late = self.participant.n_generated / self.participant.sfreq - time
            if late > self.participant.response_delay:
                self._report(
                    f"The marker {marker.label} came {late:.2f} s after its time: "
                    "the begin of the response to it is missing"
                )
            self.participant.push_marker(marker.label, time)

    def _listen(self) -> None:
        """Pass the markers on, from every stream of the name that appears."""
        waiting = False
        while not self._stop.is_set():
            try:
                stream = resolve_stream(self._markers, _LOOK, "markers")
            except InputError:  # none, or more than one: it is waited for
                if not waiting:
                    self._report(
                        f"Waiting until exactly one marker stream '{self._markers}' is in sight: "
                        "`calibrate` and `feedback` open it"
                    )
                waiting = True
                continue
            waiting = False
            inlet = self._connect(stream)
            if inlet is not None:
                self._report(f"Answering the markers of {stream.name}")
                with inlet:
                    self._pass_on(inlet)

    def _connect(self, stream: StreamDescription) -> MarkerInlet | None:
        try:
            # not the inlet's own recovery: it would wait for ever for a source with another id
            return MarkerInlet(stream, timeout=1.0, recover=False)
        except OperationError:  # gone again
            return None

    def _pass_on(self, inlet: MarkerInlet) -> None:
        while not self._stop.is_set():
            try:
                for marker in inlet.pull(_PULL):
                    self._received.put(marker)
            except OperationError:
                self._report(f"The markers of {inlet.stream.name} are gone")
                return
