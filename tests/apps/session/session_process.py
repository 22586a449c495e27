"""Records the rest of a session in a process of its own, and tells each trial that begins."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from sjepa_apps.session.controller import CalibrationSession
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_online.stream import FrameOutlet, StimulusOutlet, resolve_stream

if __name__ == "__main__":
    tell = partial(print, flush=True)
    folder = SessionFolder.open(Path(sys.argv[1]))
    stream = resolve_stream(folder.state.stream.selector)
    with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
        session = CalibrationSession(folder, stream, (stimulus.uid, frames.uid), tell)
        presenter = HeadlessPresenter(stimulus, frames, tell)
        session.record(presenter, lambda done, n: tell(f"trial {done}"))
