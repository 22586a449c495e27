"""What the report tells of a session."""

from __future__ import annotations

from sjepa_apps.session.folder import SessionFolder
from sjepa_online.stream import StreamDescription


def session_facts(
    folder: SessionFolder, stream: StreamDescription, note: str, display: str = ""
) -> dict[str, str]:
    """Return participant, amplifier, display and what was made of earlier sessions.

    Parameters
    ----------
    folder : SessionFolder
    stream : StreamDescription
        The EEG.
    note : str
        On earlier sessions; may be empty.
    display : str
        The participant's display and its frames; empty without one.

    Returns
    -------
    dict of str to str
        By names for people; what is not known is left out.
    """
    recorded = folder.state.stream
    n_channels = len(recorded.ch_names)
    facts = folder.state.identity.facts | {
        "Amplifier": f"{stream.name}, {n_channels} channels at {recorded.sfreq:g} Hz, "
        f"{folder.state.described.unit or stream.unit or 'no unit'}",
        "Display": display,
        "Recorded on": folder.state.created.replace("T", " "),
        "Earlier sessions": note,
    }
    return {name: text for name, text in facts.items() if text}
