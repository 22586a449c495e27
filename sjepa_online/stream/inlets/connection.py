"""A connection to a stream: opening with clock correction, closing, and whether samples come."""

from __future__ import annotations

from typing import Any

from sjepa_online.errors import OperationError
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.library import liblsl

#: Seconds of signal that liblsl keeps while nobody pulls; older samples become a gap.
BUFFERED = 60


class Connection(Closing):
    """What all kinds of inlet share: opening with clock correction, and closing.

    Parameters
    ----------
    stream : StreamDescription
    timeout : float
        How long the source may take to answer (s).
    recover : bool
        Go on when a source of the same id is back.

    Raises
    ------
    OperationError
        The source does not answer.
    """

    def __init__(self, stream: StreamDescription, timeout: float, *, recover: bool = True) -> None:
        lsl = liblsl()
        self.stream = stream
        self._lost_error = lsl.util.LostError
        self._timeout_error = lsl.util.TimeoutError
        self._inlet: Any = lsl.StreamInlet(
            stream.info,
            max_buflen=BUFFERED,
            recover=recover,
            processing_flags=lsl.proc_clocksync,
        )
        try:
            self._inlet.open_stream(timeout=timeout)
            self._inlet.time_correction(timeout=timeout)
            # the first pull asks for it, and would wait for ever for a source that has gone since
            self._inlet.info(timeout=timeout)
        except (lsl.util.TimeoutError, lsl.util.LostError) as error:
            raise OperationError(
                f"The stream {stream.name} on {stream.host} does not answer within {timeout:g} s: "
                "check that its source is still running and that no firewall blocks it"
            ) from error

    def close(self) -> None:
        """Disconnect; nothing can be pulled afterwards."""
        self._inlet = None


class Arrivals(Connection):
    """Tells whether samples of a stream arrive, whatever they are.

    Parameters
    ----------
    stream : StreamDescription
    timeout : float
        How long the source may take to answer (s).

    Raises
    ------
    OperationError
        The source does not answer.
    """

    def __init__(self, stream: StreamDescription, timeout: float = 5.0) -> None:
        super().__init__(stream, timeout)

    def any(self) -> bool:
        """Tell whether samples have arrived since the last look.

        Returns
        -------
        bool
            False also while the stream is lost.
        """
        return bool(self._inlet.flush())
