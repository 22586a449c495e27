"""A decoder in a process of its own, so that it never delays a frame of the stimulus."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from sjepa_online.decoding import load_decoder
from sjepa_online.errors import InputError, OperationError
from sjepa_online.online.events import SymbolDecision
from sjepa_online.online.live import LiveDecision, LiveDecoder, LiveResult, use_one_thread
from sjepa_online.stream import MarkerInlet, SignalInlet, resolve_stream
from sjepa_online.stream.closing import Closing

#: How long a decoder may take to be loaded and to find its streams (s).
START_TIMEOUT = 60.0
#: How long it looks for each of its streams, which are there (s).
SEARCH = 20.0
#: How often a decoder of imagery tells what it makes of the signal so far (s).
ESTIMATE_STEP = 0.25
_STOP_TIMEOUT = 5.0


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


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a decoder of imagery makes of the last window of signal, whatever was shown in it.

    Attributes
    ----------
    probabilities : dict of str to float
        Of each class.
    time : float
        Of the last sample (s, LSL clock).
    """

    probabilities: dict[str, float]
    time: float


class DecoderProcess(Closing):
    """Decodes a stream, locked to markers, until it is closed or this process ends.

    Parameters
    ----------
    decoder : Path
        File of the decoder.
    stream, markers : str
        Uids of the streams.
    tell : callable
        Takes what happens to them.

    Attributes
    ----------
    estimate : Estimate or None
        The last one that was taken by :meth:`poll`; None but for imagery.

    Raises
    ------
    InputError, OperationError
        As for loading a decoder, opening the streams, and decoding them.
    """

    def __init__(
        self, decoder: Path, stream: str, markers: str, tell: Callable[[str], None]
    ) -> None:
        self.estimate: Estimate | None = None
        self._tell = tell
        context = multiprocessing.get_context("spawn")
        self._answers, answers = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_decode, args=(answers, decoder, stream, markers), daemon=True
        )
        self._process.start()
        # only the other process holds this end then, so its death is noticed here
        answers.close()
        if not self._answers.poll(START_TIMEOUT):
            self.close()
            raise OperationError(f"The decoder is not ready after {START_TIMEOUT:g} s")
        try:
            self.poll()
        except (InputError, OperationError):
            self.close()
            raise

    def poll(self, timeout: float = 0.0) -> list[Choice]:
        """Take what was chosen; wait so long (s) for the first choice.

        Raises
        ------
        InputError, OperationError
            The decoder cannot go on.
        """
        chosen: list[Choice] = []
        while self._answers.poll(0.0 if chosen else timeout):
            try:
                answer = self._answers.recv()
            except EOFError as error:
                raise OperationError("The decoder's process has ended") from error
            if isinstance(answer, InputError | OperationError):
                raise answer
            if isinstance(answer, Choice):
                chosen.append(answer)
            elif isinstance(answer, Estimate):
                self.estimate = answer
            elif answer:
                self._tell(answer)
        return chosen

    def close(self) -> None:
        """End the process."""
        self._answers.close()
        self._process.terminate()
        self._process.join(_STOP_TIMEOUT)


def _decode(answers: Connection, decoder: Path, stream: str, markers: str) -> None:
    """Decode in a process of its own; an empty answer says that it is ready."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    use_one_thread()
    try:
        loaded = load_decoder(decoder)
        with (
            MarkerInlet(resolve_stream(markers, SEARCH, "markers")) as marker_inlet,
            SignalInlet(resolve_stream(stream, SEARCH)) as signal,
            SignalInlet(signal.stream) as same_signal,
        ):
            live = LiveDecoder(loaded, signal, marker_inlet, mode="markers")
            sliding = None
            if loaded.protocol.paradigm == "mi":
                sliding = LiveDecoder(loaded, same_signal, step=ESTIMATE_STEP)
            answers.send("")
            while parent.is_alive():
                for result in live.poll():
                    if (answer := _answer(result)) is not None:
                        answers.send(answer)
                for result in () if sliding is None else sliding.poll(0.0):
                    if isinstance(result, LiveDecision):
                        decision = result.decision
                        answers.send(Estimate(decision.probabilities, decision.time))
    except (InputError, OperationError) as error:
        answers.send(error)
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # nobody listens any more


def _answer(result: LiveResult) -> Choice | str | None:
    if isinstance(result, SymbolDecision):
        return Choice(result.symbol, result.time, None)
    if isinstance(result, LiveDecision):
        decision = result.decision
        # a flash alone chooses nothing
        return None if decision.lit else Choice(decision.label, decision.time, decision.onset)
    return result.detail
