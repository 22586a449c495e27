"""A decoder in a process of its own, so that it never delays a frame of the stimulus."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.decoding import load_decoder
from sjepa_online.errors import InputError, OperationError
from sjepa_online.online.events import (
    STREAM_EVENTS,
    EngineEvent,
    LiveDecision,
    SymbolDecision,
)
from sjepa_online.online.live import TURN, LiveDecoder, use_one_thread
from sjepa_online.parent import end_with_parent
from sjepa_online.stream.closing import Closing

#: How long a decoder may take to be loaded and to find its streams (s).
START_TIMEOUT = 60.0
#: How long it looks for each of its streams, which are there (s).
SEARCH = 20.0
#: How often a decoder of imagery tells what it makes of the signal so far (s).
ESTIMATE_STEP = 0.25
_STOP_TIMEOUT = 5.0
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Choice:
    """A class or a symbol that a decoder chose.

    Attributes
    ----------
    selected : str
    time : float
        Of the last sample that it rests on (s, LSL clock).
    onset : float or None
        Of the marker that it belongs to; None for a symbol, which belongs to many.
    """

    selected: str
    time: float
    onset: float | None


class DecoderProcess(Closing):
    """Decodes a stream, locked to markers, until it is closed or this process ends.

    Parameters
    ----------
    decoder : Path
        File of the decoder.
    stream, markers : str
        Uids of the streams.
    tell : callable
        Takes what the decoder leaves out, and why.
    meanwhile : callable
        Called again and again until the decoder is ready; what it raises ends the start.
    amplifier : AmplifierProfile
        What is known of the EEG beside what its stream declares; its markers are not used.
    adapt : bool
        Let a decoder that adapts take in each trial, without its class.

    Attributes
    ----------
    problem : str
        Why the decoder has ended, for people; empty while it runs. Its markers were lost, or its
        process has ended.
    estimate : LiveDecision or None
        On the last window of signal, whatever was shown in it; None but for imagery.

    Raises
    ------
    InputError, OperationError
        As for loading a decoder and opening the streams.
    """

    def __init__(
        self,
        decoder: Path,
        stream: str,
        markers: str,
        tell: Callable[[str], None],
        meanwhile: Callable[[], None] = lambda: None,
        amplifier: AmplifierProfile = AS_DECLARED,
        adapt: bool = True,
    ) -> None:
        self.problem = ""
        self.estimate: LiveDecision | None = None
        self._tell = tell
        own = amplifier.of_session(stream)
        context = multiprocessing.get_context("spawn")
        self._answers, answers = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_decode, args=(answers, decoder, stream, markers, own, adapt), daemon=True
        )
        self._process.start()
        # only the other process holds this end then, so its death is noticed here
        answers.close()
        with ExitStack() as stack:
            stack.callback(self.close)
            self._wait_until_ready(meanwhile)
            stack.pop_all()

    def poll(self, timeout: float = 0.0) -> list[Choice]:
        """Take what was chosen; wait so long (s) for the first choice.

        Parameters
        ----------
        timeout : float
            How long to wait for the first choice (s).

        Returns
        -------
        list of Choice

        Raises
        ------
        InputError
            The signal's amplitude contradicts its declared unit.
        """
        chosen: list[Choice] = []
        while not self.problem and self._answers.poll(0.0 if chosen else timeout):
            match self._receive():
                case InputError() as error:
                    raise error
                case OperationError() as error:
                    self.problem = str(error)
                case SymbolDecision() as symbol:
                    chosen.append(Choice(symbol.symbol, symbol.time, None))
                case LiveDecision(onset=None) as estimate:
                    self.estimate = estimate
                # a flash alone chooses nothing
                case LiveDecision(lit="") as decision:
                    chosen.append(Choice(decision.label, decision.time, decision.onset))
                # what happens to the stream is told by the one that watches it
                case EngineEvent() as event if event.event not in STREAM_EVENTS:
                    self._tell(event.detail)
        return chosen

    def close(self) -> None:
        """End the process."""
        self._answers.close()
        self._process.terminate()
        self._process.join(_STOP_TIMEOUT)

    def _receive(self) -> object:
        try:
            return self._answers.recv()
        except EOFError:
            return OperationError("The decoder's process has ended")

    def _wait_until_ready(self, meanwhile: Callable[[], None]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers.poll(_POLL):
            meanwhile()
            if time.monotonic() > deadline:
                raise OperationError(f"The decoder is not ready after {START_TIMEOUT:g} s")
        self.poll()
        if self.problem:
            raise OperationError(self.problem)


def _decode(
    answers: Connection,
    decoder: Path,
    stream: str,
    markers: str,
    amplifier: AmplifierProfile,
    adapt: bool,
) -> None:
    """Decode in a process of its own and send every event; the first answer says: ready."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    end_with_parent()
    use_one_thread()
    try:
        loaded = load_decoder(decoder)
        with ExitStack() as stack:
            open_stream = partial(
                LiveDecoder.open, stream=stream, amplifier=amplifier, wait=SEARCH, adapt=adapt
            )
            locked = open_stream(loaded, markers=markers, mode="markers", recover_markers=False)
            lives = [stack.enter_context(locked)]
            if loaded.protocol.paradigm == "mi":
                # the same decoder, which adapts to the trials
                decoding = locked.engine.decoder
                sliding = open_stream(decoding, mode="sliding", step=ESTIMATE_STEP)
                lives.append(stack.enter_context(sliding))
            answers.send(None)
            while parent.is_alive():
                for live, timeout in zip(lives, (TURN, 0.0), strict=False):
                    for event in live.poll(timeout):
                        # what happens is told once
                        if live is locked or isinstance(event, LiveDecision):
                            answers.send(event)
    except (InputError, OperationError) as error:
        answers.send(error)
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # nobody listens any more
