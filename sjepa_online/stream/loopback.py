"""Whether LSL reaches from this process to itself."""

from __future__ import annotations

import uuid

from sjepa_online.errors import OperationError
from sjepa_online.stream.discovery import resolve_stream
from sjepa_online.stream.inlets import MarkerInlet
from sjepa_online.stream.library import local_clock
from sjepa_online.stream.outlets import DecisionOutlet


def loopback_latency(timeout: float = 5.0) -> float:
    """Send a marker over LSL to ourselves and return the seconds that it took.

    Parameters
    ----------
    timeout : float
        How long to look for our own stream, and to wait for the marker (s).

    Returns
    -------
    float
        Seconds from sending to arrival.

    Raises
    ------
    InputError
        Our own stream is not in sight.
    OperationError
        The marker does not arrive.
    """
    name = f"sjepa-online-doctor-{uuid.uuid4().hex[:8]}"
    with (
        DecisionOutlet(name) as outlet,
        MarkerInlet(resolve_stream(name, timeout, "markers"), timeout=timeout) as inlet,
    ):
        started = local_clock()
        outlet.push("hello", started)
        if not inlet.pull(timeout):
            raise OperationError(f"A marker to ourselves does not arrive within {timeout:g} s")
        return local_clock() - started
