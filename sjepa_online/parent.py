"""A process that another one started ends with it, whatever it is doing."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time

#: Seconds that a process has to end by itself once its parent has gone.
GRACE = 2.0


def end_with_parent(grace: float = GRACE) -> None:
    """End this process soon after the process that started it, even when that one was killed.

    Call it first in the function that a :class:`multiprocessing.Process` runs.

    Parameters
    ----------
    grace : float
        How long (s) this process may close what is open by itself.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None, "this process was not started by multiprocessing"

    def wait_for_its_end() -> None:
        parent.join()
        time.sleep(grace)
        os._exit(1)

    threading.Thread(target=wait_for_its_end, name="end-with-parent", daemon=True).start()
