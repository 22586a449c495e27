"""Records the rest of a session in a process of its own, and tells each trial that begins."""

from __future__ import annotations

import sys
from pathlib import Path

from sjepa_apps.session.controller import CalibrationSession
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_online.stream import FrameOutlet, StimulusOutlet, resolve_stream

if __name__ == "__main__":
    folder = SessionFolder.open(Path(sys.argv[1]))
    stream = resolve_stream(folder.state.stream.selector)
    with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
        session = CalibrationSession(folder, stream, (stimulus.uid, frames.uid), print)
        presenter = HeadlessPresenter(stimulus, frames, print)
        session.record(presenter, lambda done, n: print(f"trial {done}", flush=True))
