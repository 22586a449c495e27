"""The demo in the live window: a replayed session, decoded until the window is closed."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from sjepa_apps.live.settings import LiveSettings
from sjepa_apps.live.window import LiveOptions, LiveWindow
from sjepa_apps.ui.application import interrupt_later, make_application, run_application
from sjepa_online.decoding import Decoder
from sjepa_online.errors import OperationError
from sjepa_online.evaluation.demo import DemoOutcome
from sjepa_online.stream import Replay


def decode_in_window(decoder: Decoder, replay: Replay) -> DemoOutcome:
    """Show and decode a replay; return what was decoded when the window is closed.

    Parameters
    ----------
    decoder : Decoder
    replay : Replay
        Its first consumer starts it.

    Returns
    -------
    DemoOutcome
    """
    application = make_application()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.safetensors"
        decoder.save(path)
        options = LiveOptions(
            path,
            replay.name,
            replay.marker_name,
            remember=False,
            replay_ended=partial(_has_ended, replay),
        )
        with interrupt_later():
            window = LiveWindow(options, LiveSettings())
            window.show()
        if run_application(application, window.end):
            raise KeyboardInterrupt
    log = window.session.trials
    return DemoOutcome(
        correct=[] if log is None else [trial.correct for trial in log.trials],
        latency_ms=list(window.health.decision_ms),
        lost=window.session.missing,
    )


def _has_ended(replay: Replay) -> bool:
    """Return whether all of a replay was sent; one that failed is told of elsewhere."""
    try:
        return replay.wait(0)
    except OperationError:
        return False
