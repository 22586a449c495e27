"""The live service in a process of its own: commands on standard input, events on standard output.

It ends when its standard input closes, so it never outlives the window.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
import time

from sjepa_apps.live.engine.patterns import decoder_patterns
from sjepa_online.online import LiveService, use_one_thread
from sjepa_online.online.commands import Command, read_command
from sjepa_online.online.events import Event, event_to_line
from sjepa_online.parent import GRACE


def _read_commands(commands: queue.Queue[Command | None]) -> None:
    for line in sys.stdin.buffer:
        commands.put(read_command(line))
    commands.put(None)
    # a stream that is being looked for takes longer, and nobody waits for it any more
    time.sleep(GRACE)
    os._exit(0)


def _write_events(events: queue.SimpleQueue[Event]) -> None:
    # in a thread of its own: a window that does not read for a while must not delay a decision
    while True:
        sys.stdout.buffer.write(event_to_line(events.get()))
        sys.stdout.buffer.flush()


def main() -> None:
    """Run the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suffix", default="", help="ends the names of what is published")
    arguments = parser.parse_args()
    use_one_thread()
    commands: queue.Queue[Command | None] = queue.Queue()
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(commands,), daemon=True).start()
    threading.Thread(target=_write_events, args=(events,), daemon=True).start()
    LiveService(events.put, arguments.suffix, decoder_patterns).run(commands)
    # everything is closed; unloading torch would take longer than a window may take to close
    os._exit(0)


if __name__ == "__main__":
    main()
