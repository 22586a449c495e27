"""Connect a requested stream by itself as soon as it is in sight."""

from __future__ import annotations

from sjepa_apps.live.connect.view import ConnectView
from sjepa_apps.live.session import LiveSession
from sjepa_online.stream import StreamDescription


class Connector:
    """Connect the stream that is waited for, and the markers that go with an open one.

    Parameters
    ----------
    session : LiveSession
    view : ConnectView
        Shows the streams and holds the choices.
    wanted : str or None
        Selector of the stream to connect.
    takes_any : bool
        Connect the only EEG stream in sight where none is wanted, as ``decode`` does.

    Attributes
    ----------
    wanted : str or None
        None once a stream is connected.
    waiting : str
        What is waited for, in words; empty where nothing is.
    """

    def __init__(
        self, session: LiveSession, view: ConnectView, wanted: str | None, takes_any: bool
    ) -> None:
        self.wanted = wanted
        self.waiting = ""
        self._takes_any = takes_any
        self._session, self._view = session, view
        session.streams_changed.connect(self.look)
        session.stream_changed.connect(self._stream_changed)
        view.markers.currentIndexChanged.connect(self._take_markers)

    def ask_for(self, selector: str) -> None:
        """Connect a stream as soon as it is in sight; an open one is closed.

        Parameters
        ----------
        selector : str
            Name, source id or uid of the stream.
        """
        self._session.close_stream()
        self.wanted = selector
        self.look()

    def look(self) -> None:
        """Connect the wanted stream, if it is in sight now."""
        self._view.show_streams(self._session.streams)
        fitting = self._fitting()
        if self._session.stream is not None:
            self._take_markers()
        elif len(fitting) == 1:
            self._view.open_stream(fitting[0])
        self._tell()

    def _stream_changed(self) -> None:
        if self._session.stream is not None:
            self.wanted, self._takes_any = None, False
        self._view.show_connected(self._session.stream)
        self._tell()

    def _take_markers(self) -> None:
        """Use the markers that are chosen, as soon as they are in sight."""
        session = self._session
        if session.stream is not None and session.markers is None:
            markers = self._view.markers_for(session.stream)
            if markers is not None:
                session.use_markers(markers)

    def _tell(self) -> None:
        """Show which stream is awaited, and why it is not connected yet."""
        told, n_fitting = "", len(self._fitting())
        if self._session.stream is None and n_fitting > 1:
            told = f"{n_fitting} streams fit {self.wanted or 'the decoder'}: choose one"
        elif self._session.stream is None and self.wanted is not None:
            told = f"Waiting for the stream {self.wanted}"
        if told and told != self.waiting:
            self._session.log("connect", told)
        self.waiting = told
        self._view.show_waiting(told)

    def _fitting(self) -> list[StreamDescription]:
        signals = [one for one in self._session.streams if one.is_kind("signal")]
        if self.wanted is not None:
            return [one for one in signals if self.wanted in one.selectors]
        return [one for one in signals if self._takes_any and one.type.lower() == "eeg"]
