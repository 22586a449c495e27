"""Programs of a session are killed in each of its phases; what is lost, and that it goes on.

``SJEPA_KILLS=20 pytest tests/apps/session/test_kills.py -s`` kills each 20 times in each phase, and
tells the figures. By default one of them is killed once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
import pyxdf

from sjepa_apps.session.completed_trials import remaining_trials
from sjepa_apps.session.folder import SessionFolder
from sjepa_online.stream import local_clock, resolve_stream

KILLS = int(os.environ.get("SJEPA_KILLS", "0"))
#: Seconds after a line of the session within which its phase lasts.
PHASES = {"waiting": (0.0, 1.5), "trial": (0.0, 0.4), "rest": (0.4, 1.5), "closing": (0.0, 1.7)}
VICTIMS = ("source", "recorder", "recorder's program", "session")
NAME = "session-kills"
BEGINS = "Recording to "

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 600 * KILLS)]


@dataclass
class Campaign:
    """Kills of one program, until each phase has had as many as it should."""

    victim: str
    left: dict[str, int]
    amplifier: Callable[..., tuple[subprocess.Popen[str], float]]
    script: Callable[..., subprocess.Popen[str]]
    begin: Callable[[int], SessionFolder]
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    #: Phase, part of the recording and time of each kill while it was recorded.
    kills: list[tuple[str, Path, float]] = field(default_factory=list)
    resumed: int = 0

    def run(self) -> None:
        """Record one session after the other."""
        self.source, _ = self.amplifier(NAME)
        while any(self.left.values()):
            within = max(self.left.get(phase, 0) for phase in ("waiting", "trial", "rest"))
            folder = self.begin(2 + 2 * within)
            while not self._record(folder):
                self.resumed += 1
            recordings, _ = folder.recordings()
            assert not remaining_trials(folder.schedule(), recordings, folder.protocol)

    def _record(self, folder: SessionFolder) -> bool:
        """Record what is left of a session; return whether it has ended by itself."""
        self.session = self.script("session_process.py", folder.path)
        assert self.session.stdout is not None
        part = Path()
        for line in self.session.stdout:
            if line.startswith(BEGINS):
                part = Path(line.removeprefix(BEGINS).strip())
            phase = self._phase(line, folder.state.n_trials)
            if not self.left.get(phase, 0):
                continue
            self.left[phase] -= 1
            time.sleep(self.random.uniform(*PHASES[phase]))
            running = part.is_file() and phase != "closing" and self._is_recording()
            killed = local_clock()
            self._kill()
            if running:
                self.kills.append((phase, part, killed))
        return self.session.wait() == 0

    def _phase(self, line: str, n_trials: int) -> str:
        if line.startswith(BEGINS):
            return "waiting"
        if not line.startswith("trial"):
            return ""
        if int(line.split()[1]) == n_trials:
            return "closing"
        return max(("trial", "rest"), key=lambda phase: self.left.get(phase, 0))

    def _recorders(self) -> dict[str, psutil.Process]:
        """Return LabRecorder and the program that runs it, as far as they are there."""
        if self.session.poll() is not None:
            return {}
        children = psutil.Process(self.session.pid).children(recursive=True)
        return {
            "recorder" if "LabRecorder" in one.name() else "recorder's program": one
            for one in children
        }

    def _is_recording(self) -> bool:
        return "recorder" in self._recorders()

    def _kill(self) -> None:
        if self.victim == "source":
            self.source.kill()
            self.source.wait()
            time.sleep(0.5)
            self.source, _ = self.amplifier(NAME)
        elif self.victim == "session":
            os.kill(self.session.pid, signal.SIGKILL)
        elif self.victim in (recorders := self._recorders()):
            recorders[self.victim].kill()

    def lost(self) -> dict[str, list[float]]:
        """Return for each phase the seconds before its kills that are not in the files."""
        lost: dict[str, list[float]] = {}
        for phase, part, killed in self.kills:
            # LabRecorder has written nothing for the first half second
            streams, _ = pyxdf.load_xdf(part) if part.stat().st_size else ([], None)
            ends = [
                one["time_stamps"][-1]
                for one in streams
                if one["info"]["name"] == [NAME] and len(one["time_stamps"])
            ]
            # before the first write there is only what comes before the first trial
            lost.setdefault(phase, []).append(max(0.0, killed - ends[0]) if ends else 0.0)
        return lost


@pytest.mark.parametrize("victim", VICTIMS)
def test_at_most_a_second_is_lost_and_the_session_goes_on(
    victim, amplifier, script, tmp_path, protocol_file
):
    if not KILLS and victim != "recorder's program":
        pytest.skip("SJEPA_KILLS is not set")
    text = protocol_file.read_text().replace("rest = 0.1", "rest = 1.2")
    protocol_file.write_text(text.replace("trials_per_class = 2", "trials_per_class = 100"))
    phases = PHASES if KILLS else {"trial": PHASES["trial"]}
    n_sessions = iter(range(1000))

    def begin(n_trials: int) -> SessionFolder:
        path = tmp_path / str(next(n_sessions))
        return SessionFolder.create(path, str(protocol_file), resolve_stream(NAME), 0, n_trials)

    campaign = Campaign(victim, dict.fromkeys(phases, KILLS or 1), amplifier, script, begin)
    campaign.run()
    for phase, lost in campaign.lost().items():
        print(
            f"\n{victim}, {phase}: {len(lost)} kills while recording, "
            f"median {np.median(lost):.2f} s lost, at most {max(lost):.2f} s",
            end="",
        )
        assert max(lost) < 1.0
    print(f"\n{victim}: the session was resumed {campaign.resumed} times")
