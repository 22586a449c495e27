"""Signal and markers from LSL, on one clock, with everything that goes wrong as events."""

from sjepa_online.stream.inlets.connection import Arrivals
from sjepa_online.stream.inlets.markers import MARKERS_AT_ONCE, Marker, MarkerInlet
from sjepa_online.stream.inlets.signal import Chunk, SignalInlet

__all__ = ["MARKERS_AT_ONCE", "Arrivals", "Chunk", "Marker", "MarkerInlet", "SignalInlet"]
