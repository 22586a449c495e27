"""The rule that windows are decoded after markers or in steps."""

from __future__ import annotations

from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.online.events import Mode
from sjepa_online.stream import StreamDescription, resolve_stream

#: Seconds to look for markers without which decoding goes on as well.
GLANCE = 1.0


def choose_mode(decoder: Decoder, mode: Mode | None, has_markers: bool) -> Mode:
    """Choose when windows are decoded.

    Parameters
    ----------
    decoder : Decoder
    mode : {"sliding", "markers"} or None
        What the user wants. None: after markers for ERP, and for dynamic stopping, which has to
        know where a window begins, where there are markers; in steps for everything else.
    has_markers : bool
        Whether a marker stream is at hand.

    Returns
    -------
    {"sliding", "markers"}
    """
    if mode is not None:
        return mode
    if decoder.protocol.paradigm == "erp" or (stops_dynamically(decoder) and has_markers):
        return "markers"
    return "sliding"


def stops_dynamically(decoder: Decoder) -> bool:
    """Tell whether a decoder may decide before the end of a window.

    Parameters
    ----------
    decoder : Decoder

    Returns
    -------
    bool
    """
    return len(decoder.window_lengths) > 1


def find_markers(
    decoder: Decoder,
    mode: Mode | None,
    selector: str | None,
    wait: float,
    has_codes: bool = False,
) -> StreamDescription | None:
    """Find the marker stream after whose markers windows are decoded.

    Parameters
    ----------
    decoder : Decoder
    mode : {"sliding", "markers"} or None
        As for :func:`choose_mode`.
    selector : str or None
        The user's choice of a marker stream; see :func:`~sjepa_online.stream.resolve_stream`. None:
        the only one in sight.
    wait : float
        How long to wait for it (s), where there is no decoding without it.
    has_codes : bool
        Whether the signal's stream has a channel of codes, which serves where no stream is chosen
        and not one is in sight.

    Returns
    -------
    StreamDescription or None
        None to decode in steps, or after codes.

    Raises
    ------
    InputError
        The markers that are needed, or chosen, are not in sight, or more than one stream is.
    """
    needed = choose_mode(decoder, mode, selector is not None) == "markers"
    if needed and (selector is not None or not has_codes):
        return resolve_stream(selector, wait, "markers")
    if not needed and (mode == "sliding" or not stops_dynamically(decoder)):
        return None
    try:
        return resolve_stream(None, GLANCE, "markers")
    except InputError:
        return None
