"""The watch on the stream of a page: begun and ended with the page, closed with the window."""

from __future__ import annotations

from sjepa_apps.session_window.run.signal_watch import SignalState, SignalWatch
from sjepa_apps.session_window.run.trace_strip import TraceStrip
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.stream import StreamDescription


class WatchedSignal:
    """At most one watch at a time, whose traces a strip shows.

    Parameters
    ----------
    traces : TraceStrip
    """

    def __init__(self, traces: TraceStrip) -> None:
        self._traces = traces
        self._watches: list[SignalWatch] = []
        self._watch: SignalWatch | None = None

    @property
    def on(self) -> bool:
        """Whether a stream is watched."""
        return self._watch is not None

    def begin(self, stream: StreamDescription, amplifier: AmplifierProfile) -> None:
        """Watch a stream, and no other one any more."""
        self.end()
        self._watch = SignalWatch(stream, amplifier, self._traces.layout_of_traces)
        self._watches.append(self._watch)
        self._watch.start()

    def look(self) -> SignalState:
        """Return what is known of the signal now; traces are drawn for the strip as it is."""
        watch = self._watch
        if watch is None:
            return SignalState(problem="The signal is not read.")
        watch.layout = self._traces.layout_of_traces
        if watch.problems:
            # the thread has ended, so nothing of it is current
            return SignalState(problem="; ".join(watch.problems), failed=True)
        return watch.state

    def end(self) -> None:
        """Watch no more."""
        if self._watch is not None:
            self._watch.ask_to_stop()
            self._watch = None

    def close(self) -> None:
        """Wait for all threads."""
        self.end()
        for watch in self._watches:
            watch.stop()
