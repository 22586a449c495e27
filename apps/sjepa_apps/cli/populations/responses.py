"""``sjepa-online population`` for spellers: the response to a target in other people."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from sjepa_apps.cli.common import progress_bar, say

if TYPE_CHECKING:
    from sjepa_online.data import Recording
    from sjepa_online.protocol import Protocol
    from sjepa_online.typing import FloatArray, Labels


def make_response_population(
    recordings: list[Recording], protocol: Protocol, out: Path
) -> tuple[str, dict[str, Any]]:
    """Average the responses of people, save them, and describe the result.

    Parameters
    ----------
    recordings : list of Recording
    protocol : Protocol
    out : Path
        File to write.

    Returns
    -------
    text : str
        Size of the population.
    described : dict
        Configuration of the file.

    Raises
    ------
    InputError
        The recordings have no electrodes in common, or one has no targets.
    """
    from sjepa_online.decoding.transfer.response_population import fit_response_population

    ch_names, sessions = common_epochs(recordings, protocol)
    made = fit_response_population(
        sessions,
        protocol,
        ch_names,
        sources=[PurePath(recording.name).name for recording in recordings],
        simulated=any(recording.simulated for recording in recordings),
    )
    made.save(out)
    described = made.config.model_dump(mode="json")
    return f"{made.config.n_trials} flashes of {made.config.n_sessions} recordings", described


def common_epochs(
    recordings: list[Recording], protocol: Protocol
) -> tuple[tuple[str, ...], list[tuple[FloatArray, Labels]]]:
    """Cut the epochs of the electrodes that all recordings have in common.

    Parameters
    ----------
    recordings : list of Recording
    protocol : Protocol

    Returns
    -------
    ch_names : tuple of str
    sessions : list of (ndarray, shape (n, channels, samples); ndarray, shape (n,))
        Epochs in µV at 128 Hz and labels of each recording.

    Raises
    ------
    InputError
        The recordings have no electrodes in common, or one has no trial.
    """
    from sjepa_online.data import make_trials
    from sjepa_online.decoding.transfer.population import common_channels
    from sjepa_online.signal import PreprocessorConfig

    ch_names = common_channels([recording.ch_names for recording in recordings])
    sessions: list[tuple[FloatArray, Labels]] = []
    with progress_bar("Preprocessing", len(recordings)) as advance:
        for recording in recordings:
            trials = make_trials([recording], protocol, PreprocessorConfig(), ch_names)
            for reason in trials.dropped:
                say(f"left out: {reason}")
            sessions.append((trials.X, trials.y))
            advance()
    return ch_names, sessions
