"""How well the channel monitor works: false alarms, and detection of every kind of fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from sjepa_online.data import Recording
from sjepa_online.data.corruption import DEFAULT_GAIN, KINDS, Corruption, Fault, FaultKind
from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.signal.channel_quality.monitor import ChannelMonitor, StateChange

#: Delay (s) within which gross faults are to be detected.
PROMPT = 1.5
#: Clean signal before a fault, and the length of the fault (s).
LEAD = 10.0
FAULT_LENGTH = 15.0
#: Factors of the gains that are tried.
GAINS = (10.0, 100.0)


@dataclass(frozen=True)
class FalseAlarm:
    """A channel that became bad in a recording into which no fault was put.

    Attributes
    ----------
    recording : str
        Its name.
    time : float
        When (s after its start).
    channel : str
        Which.
    reasons : tuple of str
        Why.
    """

    recording: str
    time: float
    channel: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class MonitorScores:
    """Scores of the monitor on clean recordings and on inserted faults.

    Attributes
    ----------
    channel_hours : float
        Hours of clean signal, times channels.
    false_alarms : list of FalseAlarm
        One for each time that a channel became bad.
    bad_share : float
        Share of the clean signal's windows in which a channel was bad.
    delays : dict of str to list of float or None
        For each kind of fault and each draw, the delay (s) to the detection; None where it
        was not detected. A draw whose channel is bad without the fault is left out.
    scaled : dict of str to int
        For each kind of fault, in how many draws the channel was used in spite of it, divided
        by a gain.
    """

    channel_hours: float
    false_alarms: list[FalseAlarm]
    bad_share: float
    delays: dict[str, list[float | None]]
    scaled: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``evaluate monitor``.

        Returns
        -------
        document : dict
        """
        return {
            "channel_hours": self.channel_hours,
            "false_alarms_per_channel_hour": len(self.false_alarms) / self.channel_hours,
            "bad_share": self.bad_share,
            "false_alarms": [
                {
                    "recording": alarm.recording,
                    "time": alarm.time,
                    "channel": alarm.channel,
                    "reasons": list(alarm.reasons),
                }
                for alarm in self.false_alarms
            ],
            "faults": {
                kind: summarise_delays(delays)
                | {"scaled_back": self.scaled[kind] / len(delays) if delays else None}
                for kind, delays in self.delays.items()
            },
        }


def summarise_delays(delays: Sequence[float | None]) -> dict[str, float | int | None]:
    """Return how many faults were detected, at all and promptly, and the delays (s).

    Parameters
    ----------
    delays : sequence of float or None
        Delay of each fault (s); None for a fault that was not found.

    Returns
    -------
    dict
        Counts and delays (s).
    """
    found = [delay for delay in delays if delay is not None]
    return {
        "draws": len(delays),
        "detected": len(found) / len(delays) if delays else None,
        "within_1.5_s": sum(delay <= PROMPT for delay in found) / len(delays) if delays else None,
        "delay_median_s": float(np.median(found)) if found else None,
        "delay_95_s": float(np.quantile(found, 0.95)) if found else None,
    }


def evaluate_monitor(
    calibration: Sequence[Recording],
    monitored: Sequence[Recording],
    n_draws: int,
    seed: int,
    progress: Callable[[], None] = lambda: None,
) -> MonitorScores:
    """Learn the baseline from some recordings and monitor others.

    Each draw puts a fault into a random channel of a random part of a monitored recording,
    after 10 s of clean signal.

    Parameters
    ----------
    calibration, monitored : sequence of Recording
        Of one montage, rate and unit; at least 25 s each of those monitored.
    n_draws : int
        Draws of each kind of fault.
    seed : int
        Seed of the draws.
    progress : callable
        Called after each recording and each kind of fault.

    Returns
    -------
    MonitorScores

    Raises
    ------
    InputError
        The recordings do not suit each other, or are too short.
    """
    monitored = [without_padding(recording) for recording in monitored]
    _check(calibration, monitored)
    first = calibration[0]
    baseline = Baseline.fit(
        [without_padding(recording).data for recording in calibration],
        first.ch_names,
        first.sfreq,
        first.unit,
    )
    alarms: list[FalseAlarm] = []
    bad_seconds = 0.0
    for recording in monitored:
        found, seconds = _false_alarms(recording, baseline)
        alarms += found
        bad_seconds += seconds
        progress()
    total = sum(recording.duration for recording in monitored) * len(first.ch_names)
    delays, scaled = {}, {}
    rng = np.random.default_rng(seed)
    for name, (kind, factor) in _faults().items():
        draws = [_draw(monitored, kind, factor, rng) for _ in range(n_draws)]
        delays[name], scaled[name] = _delays(draws, baseline, seed)
        progress()
    return MonitorScores(total / 3600, alarms, bad_seconds / total, delays, scaled)


def n_steps(n_monitored: int) -> int:
    """Return how often :func:`evaluate_monitor` calls ``progress``.

    Parameters
    ----------
    n_monitored : int
        Monitored recordings.

    Returns
    -------
    int
    """
    return n_monitored + len(_faults())


def halves(recording: Recording) -> tuple[Recording, Recording]:
    """Cut a recording in two: one half to calibrate, one to monitor; events are left out.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    calibration, monitored : Recording
    """
    middle = recording.data.shape[1] // 2
    return _part(recording, 0, middle), _part(recording, middle, recording.data.shape[1])


def without_padding(recording: Recording) -> Recording:
    """Leave out the end of a recording in which no channel changes: some files are padded.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    Recording
    """
    changes = np.flatnonzero((np.diff(recording.data, axis=1) != 0).any(axis=0))
    return _part(recording, 0, int(changes[-1]) + 2 if changes.size else 1)


def _faults() -> dict[str, tuple[FaultKind, float]]:
    """Name the faults that are tried: their kind and, for a gain, the factor."""
    faults: dict[str, tuple[FaultKind, float]] = {
        kind: (kind, DEFAULT_GAIN) for kind in KINDS if kind != "gain"
    }
    for factor in GAINS:
        faults[f"gain x{factor:g}"] = ("gain", factor)
    return faults


def _false_alarms(recording: Recording, baseline: Baseline) -> tuple[list[FalseAlarm], float]:
    """Monitor a clean recording: what became bad, and for how long (channels times s)."""
    alarms = []
    seconds = 0.0
    since: dict[str, float] = {}
    for change in _monitor(recording, baseline):
        time = change.sample / recording.sfreq
        if change.bad:
            alarms.append(FalseAlarm(recording.name, time, change.channel, change.reasons))
            since[change.channel] = time
        else:
            seconds += time - since.pop(change.channel)
    return alarms, seconds + sum(recording.duration - time for time in since.values())


def _monitor(recording: Recording, baseline: Baseline) -> list[StateChange]:
    """Return the changes of state in a recording; the monitor forgets at breaks."""
    monitor = ChannelMonitor(recording.ch_names, recording.sfreq, recording.unit, baseline)
    n = recording.data.shape[1]
    cuts = {round(float(time) * recording.sfreq) for time in recording.breaks}
    changes: list[StateChange] = []
    for start, stop in pairwise(sorted({0, *(cut for cut in cuts if 0 < cut < n), n})):
        events = monitor.update(recording.data[:, start:stop])
        changes += [event for event in events if isinstance(event, StateChange)]
        monitor.reset()
    return changes


def _draw(
    monitored: Sequence[Recording], kind: FaultKind, factor: float, rng: np.random.Generator
) -> tuple[Recording, Fault]:
    """Draw a part of a recording and a fault in it."""
    recording = monitored[int(rng.integers(len(monitored)))]
    n_samples = int((LEAD + FAULT_LENGTH) * recording.sfreq)
    first = int(rng.integers(recording.data.shape[1] - n_samples + 1))
    channel, partner = (str(name) for name in rng.choice(recording.ch_names, 2, replace=False))
    # faults start anywhere within the monitor's step
    start = LEAD - rng.random() / 4
    fault = Fault(
        channel,
        kind,
        start,
        start + FAULT_LENGTH,
        partner if kind == "swap" else "",
        factor,
    )
    return _part(recording, first, first + n_samples), fault


def _delays(
    draws: Sequence[tuple[Recording, Fault]], baseline: Baseline, seed: int
) -> tuple[list[float | None], int]:
    """Return the delay to each detection, None where there is none, and how often it was scaled.

    Draws whose channel is bad without the fault are left out.
    """
    delays: list[float | None] = []
    n_scaled = 0
    for number, (recording, fault) in enumerate(draws):
        corrupted = Corruption([fault], [recording], seed + number).apply(recording)
        changes = [
            (change.sample / recording.sfreq - fault.start, change)
            for change in _monitor(corrupted, baseline)
            if change.channel in fault.channels
        ]
        before = [change.bad for delay, change in changes if delay <= 0]
        if before and before[-1]:
            continue
        delays.append(next((delay for delay, change in changes if change.bad and delay > 0), None))
        n_scaled += any(change.scale != 1 for _, change in changes)
    return delays, n_scaled


def _part(recording: Recording, start: int, stop: int) -> Recording:
    breaks = recording.breaks - start / recording.sfreq
    inside = (breaks > 0) & (breaks < (stop - start) / recording.sfreq)
    return replace(
        recording,
        data=recording.data[:, start:stop],
        onsets=np.empty(0),
        labels=(),
        breaks=breaks[inside],
    )


def _check(calibration: Sequence[Recording], monitored: Sequence[Recording]) -> None:
    first = calibration[0]
    if len(first.ch_names) < 2:
        raise InputError(
            "The monitor cannot be measured on fewer than two or more channels",
            value=f"{first.name} has {', '.join(first.ch_names)} alone",
            remedy="Choose recordings with more channels.",
        )
    for recording in (*calibration, *monitored):
        if (recording.ch_names, recording.sfreq) != (first.ch_names, first.sfreq):
            raise InputError(
                "A recording has other channels or another rate than the calibration",
                value=f"{recording.name} has {', '.join(recording.ch_names)} at "
                f"{recording.sfreq:g} Hz",
                remedy="Evaluate each montage by itself.",
            )
    short = [part.name for part in monitored if part.duration <= LEAD + FAULT_LENGTH]
    if short:
        raise InputError(
            f"A recording to monitor is not longer than {LEAD + FAULT_LENGTH:g} s",
            value=", ".join(short),
            remedy="Leave it out.",
        )
