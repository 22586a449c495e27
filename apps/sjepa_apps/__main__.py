"""The command ``sjepa-online``, also as ``python -m sjepa_apps``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: Number of standard error, the last of the three streams that every program has.
STDERR = 2


def main() -> None:
    """Run the command line; Ctrl-C before it is even imported ends it as quietly as later."""
    _open_closed_streams()
    try:
        from sjepa_apps.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()


def _open_closed_streams() -> None:
    """Give standard streams that are closed a place, or the next file that is opened takes it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(descriptor)
    # as Python leaves a closed stream, whatever its type says
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


if __name__ == "__main__":
    main()
