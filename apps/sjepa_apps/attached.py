"""The command line as a window starts it: a command ends with the window, even a killed one.

The window holds the other end of standard input, which closes when it ends in whatever way.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from sjepa_apps.cli import main
from sjepa_online.parent import GRACE


def _end_with_standard_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    # as Ctrl-C: what is open is closed
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_standard_input, name="end-with-window", daemon=True).start()
    main()
