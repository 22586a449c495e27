"""What a stimulus display publishes over LSL: markers, and the times of its frames."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from sjepa_online.errors import InputError
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.library import liblsl

#: Names of the two streams.
STIMULUS_STREAM = "sjepa-online-stimulus"
FRAME_STREAM = "sjepa-online-frames"


class StimulusOutlet(Closing):
    """The marker stream of a session, see :mod:`sjepa_online.markers`.

    Its description holds the protocol, so every recording of it tells what was shown. It has
    the same source id in every session, so consumers pick up a session that was restarted.

    Parameters
    ----------
    protocol : str
        Text of the protocol's TOML file.
    name : str
        Name of the stream.
    """

    def __init__(self, protocol: str, name: str = STIMULUS_STREAM) -> None:
        lsl = liblsl()
        source_id = f"{name}@{socket.gethostname()}"
        info = lsl.StreamInfo(name, "Markers", 1, lsl.IRREGULAR_RATE, lsl.cf_string, source_id)
        info.set_channel_labels(["marker"])
        info.set_channel_types("marker")
        info.desc().append_child_value("protocol", protocol)
        self._outlet: Any = lsl.StreamOutlet(info)
        #: Of this very stream, for a recorder.
        self.uid = str(self._outlet.get_info().uid())

    def push(self, marker: str, time: float) -> None:
        """Publish a marker for what became visible at ``time`` (s, LSL clock).

        Parameters
        ----------
        marker : str
            The label, such as the name of a class.
        time : float
            LSL time (s) at which it became visible.
        """
        self._outlet.push_sample([marker], time)

    def close(self) -> None:
        """Take the stream off the network."""
        self._outlet = None


class FrameOutlet(Closing):
    """A stream with one sample a frame: its timestamp is when the frame became visible.

    Its only channel, ``late``, holds how many refreshes of the display passed without the
    frame that was due, 0 when it came in time.

    Parameters
    ----------
    refresh_rate : float
        Of the display (Hz); 0 where there is none. Told in the stream's description.
    name : str
        Name of the stream.
    """

    def __init__(self, refresh_rate: float, name: str = FRAME_STREAM) -> None:
        lsl = liblsl()
        source_id = f"{name}@{socket.gethostname()}"
        info = lsl.StreamInfo(name, "Frames", 1, lsl.IRREGULAR_RATE, lsl.cf_float32, source_id)
        info.set_channel_labels(["late"])
        info.set_channel_types("frames")
        info.set_channel_units("frames")
        info.desc().append_child_value("refresh_rate", f"{refresh_rate:g}")
        self._outlet: Any = lsl.StreamOutlet(info)
        #: Of this very stream, for a recorder.
        self.uid = str(self._outlet.get_info().uid())

    def push(self, times: Sequence[float], late: Sequence[int]) -> None:
        """Publish frames.

        Parameters
        ----------
        times : sequence of float, length n
            When each became visible (s, LSL clock).
        late : sequence of int, length n
            Refreshes that passed without it.

        Raises
        ------
        InputError
            The two differ in length.
        """
        if len(times) != len(late):
            raise InputError(
                "The times of frames and the counts of late refreshes do not match",
                value=f"{len(times)} times and {len(late)} counts",
                remedy="Give both for each frame.",
            )
        if len(times) > 0:
            self._outlet.push_chunk([[float(count)] for count in late], list(times))

    def close(self) -> None:
        """Take the stream off the network."""
        self._outlet = None
