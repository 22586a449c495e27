"""``sjepa-online doctor``: is everything here that decoding needs, and what to do if not."""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import typer

from sjepa_apps.cli.common import JsonOption, ScopeOption, configure_lsl, echo, print_json
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.recordings.streams import how_it_is_read
from sjepa_apps.cli.windows import NO_DISPLAY, display_problem, has_packages
from sjepa_online.errors import InputError, OperationError

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile

PACKAGES = ("sjepa-online", "torch", "numpy", "scipy", "mne", "pylsl", "pyriemann")
EXTRAS = {
    "PyQt6": "gui",
    "pyqtgraph": "gui",
    "moabb": "moabb",
    "huggingface_hub": "hub",
    "mne_bids": "bids",
    "pybv": "bids",
}
#: Types of streams that never hold EEG.
NO_EEG = ("probability", "frames", "ppg", "acc", "gyro", "accelerometer", "aux", "audio", "gaze")
#: Seconds by which a sleep of 1 ms may be late before live decoding suffers.
LATE_SLEEP = 0.010


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    name : str
        What was looked at.
    ok : bool
        False when something that is needed does not work.
    found : str
        What was seen.
    remedy : str
        What to do; empty when all is well.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""


@describes_signal()
def doctor(
    amplifier: AmplifierProfile, lsl_scope: ScopeOption = None, json: JsonOption = False
) -> None:
    """Check versions, LSL, GPU, Qt, clock and weights, and tell how to fix what is wrong."""
    configure_lsl(lsl_scope)
    checks = [*(check() for check in CHECKS), *check_streams(amplifier)]
    ok = all(check.ok for check in checks)
    if json:
        print_json({"ok": ok, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            echo(f"{'ok ' if check.ok else 'BAD'}  {check.name}: {check.found}")
            if check.remedy:
                echo(f"       {check.remedy}")
    if not ok:
        raise typer.Exit(1)


def check_versions() -> Check:
    """Check Python and the required packages.

    Returns
    -------
    check : Check
    """
    found = [f"Python {platform.python_version()} on {platform.platform()}"]
    missing = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    remedy = f"Install what is missing: {', '.join(missing)}." if missing else ""
    return Check("versions", not missing, ", ".join(found), remedy)


def check_extras() -> Check:
    """Check the optional packages; none of them is needed to decode.

    Returns
    -------
    check : Check
    """
    missing = [name for name in EXTRAS if importlib.util.find_spec(name) is None]
    extras = ",".join(sorted({EXTRAS[name] for name in missing}))
    command = f'pip install -c constraints.txt ".[{extras}]"'
    remedy = f"For more, in the folder of sjepa-online: {command}" if missing else ""
    return Check("extras", True, f"missing: {', '.join(missing) or 'none'}", remedy)


def check_lsl() -> Check:
    """Send a sample to ourselves over LSL.

    Returns
    -------
    check : Check
    """
    from sjepa_online.stream import loopback_latency
    from sjepa_online.stream.library import liblsl

    try:
        seconds = loopback_latency()
    except (InputError, OperationError) as error:
        return Check(
            "LSL",
            False,
            str(error),
            "Allow this program through the firewall, or use --lsl-scope machine.",
        )
    lsl_version = liblsl().library_version() / 100
    configuration = os.environ.get("LSLAPICFG", "liblsl's own")
    return Check(
        "LSL",
        True,
        f"liblsl {lsl_version:.2f}, configuration {configuration}; a sample to ourselves took "
        f"{1e3 * seconds:.1f} ms",
    )


def check_streams(amplifier: AmplifierProfile) -> list[Check]:
    """Check whether the electrodes of each EEG stream in sight are known, and which profile fits.

    A stream that cannot be read as it is breaks nothing else, so it is no failure of the machine.

    Parameters
    ----------
    amplifier : AmplifierProfile
        The user's description.

    Returns
    -------
    checks : list of Check
    """
    from sjepa_online.stream import find_streams

    found = []
    for stream in find_streams():
        if stream.is_kind("signal") and stream.type.lower() not in NO_EEG:
            readable, told = how_it_is_read(stream, amplifier)
            name = f"stream {stream.name}"
            found.append(Check(name, True, told) if readable else Check(name, True, "?", told))
    return found


def check_device() -> Check:
    """Look for a GPU.

    Returns
    -------
    check : Check
    """
    import torch

    from sjepa_online.decoding.classifiers.fine_tuning import choose_device

    device = choose_device("auto")
    name = torch.cuda.get_device_name() if device == "cuda" else device
    return Check("device", True, f"{name}, {torch.get_num_threads()} CPU threads")


def check_qt() -> Check:
    """Check whether windows can open.

    Returns
    -------
    check : Check
    """
    if not has_packages():
        return Check("Qt", True, "not installed; headless commands work")
    problem = display_problem()
    if not problem:
        return Check("Qt", True, f"platform {os.environ.get('QT_QPA_PLATFORM') or 'of the system'}")
    remedy = "Windows do not open here; use --headless."
    if problem.startswith(NO_DISPLAY):
        return Check("Qt", True, "no display", remedy)
    return Check("Qt", False, problem, f"Set DISPLAY right, install libxcb-cursor0. {remedy}")


def check_clock() -> Check:
    """Measure the delay of a short sleep, as every live loop sleeps.

    Returns
    -------
    check : Check
    """
    late = []
    for _ in range(100):
        started = time.perf_counter()
        time.sleep(0.001)
        late.append(time.perf_counter() - started - 0.001)
    found = f"1 ms sleeps are {1e3 * statistics.median(late):.2f} ms late, at most " + (
        f"{1e3 * max(late):.1f} ms"
    )
    busy = statistics.median(late) > LATE_SLEEP
    remedy = "This machine is too busy: close other programs, leave power saving." if busy else ""
    return Check("clock", not busy, found, remedy)


def check_weights() -> Check:
    """Look for pretrained weights.

    Returns
    -------
    check : Check
    """
    from sjepa_online.model import describe_weights
    from sjepa_online.resources import list_resources

    names = sorted(list_resources("models", ".safetensors"))
    try:
        weights = describe_weights("default")
    except InputError as error:
        return Check("weights", False, str(error), "Install sjepa-online again.")
    return Check(
        "weights", True, f"default: {weights.n_parameters:,} parameters; known: {', '.join(names)}"
    )


CHECKS: tuple[Callable[[], Check], ...] = (
    check_versions,
    check_extras,
    check_lsl,
    check_device,
    check_qt,
    check_clock,
    check_weights,
)
