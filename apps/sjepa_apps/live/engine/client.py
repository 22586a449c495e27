"""The window's end of the engine process: starts it, talks to it, notices when it ends."""

from __future__ import annotations

import re
import sys

from pydantic import ValidationError
from PyQt6.QtCore import QObject, QProcess, pyqtSignal

from sjepa_online.online.commands import (
    ChooseChannel,
    CloseStream,
    Command,
    LoadDecoder,
    OpenStream,
    UseMarkers,
    command_to_line,
)
from sjepa_online.online.events import DecoderReady, Event, Refused, read_event
from sjepa_online.signal.channel_quality.monitor import Choice

#: How long (ms) the engine may take to end before it is killed, which harms nothing.
PATIENCE = 1000
#: How the lines of liblsl's log begin: date, seconds since its start, thread.
LIBLSL_LINE = re.compile(r"\d{4}-\d\d-\d\d [\d:.]+ \( *[\d.]+s\) \[")


class EngineClient(QObject):
    """Run the engine process and remember what was asked of it, for when it is restarted.

    Parameters
    ----------
    suffix : str
        Ends the names of the streams that the engine publishes.

    Signals
    -------
    received
        A message of the engine.
    said
        A line that it wrote on standard error.
    ended
        It has ended without having been asked to; why, in words.
    """

    received = pyqtSignal(object)
    said = pyqtSignal(str)
    ended = pyqtSignal(str)

    def __init__(self, suffix: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._suffix = suffix
        self._process: QProcess | None = None
        self._heard = False
        #: The decoder that was asked for last, and the one that was loaded last.
        self._decoder: LoadDecoder | None = None
        self._loaded: LoadDecoder | None = None
        self._stream: OpenStream | None = None
        self._choices: dict[str, ChooseChannel] = {}

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None

    @property
    def has_decoder(self) -> bool:
        """Whether it runs and was asked to load a decoder."""
        return self.running and self._decoder is not None

    @property
    def forced(self) -> tuple[str, ...]:
        """The channels that are forced bad or good."""
        return tuple(self._choices)

    @property
    def choices(self) -> dict[str, Choice]:
        """What the operator has chosen for channels, where not ``automatic``."""
        return {name: command.choice for name, command in self._choices.items()}

    @property
    def pid(self) -> int | None:
        """Id of the process; None while there is none."""
        return None if self._process is None else self._process.processId()

    def start(self) -> None:
        """Start the process, and ask again for what was asked for before."""
        self.stop()
        process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed)
        self._process, self._heard = process, False
        words = ["-P", "-m", "sjepa_apps.live.engine.process", f"--suffix={self._suffix}"]
        process.start(sys.executable, words)
        for command in (self._decoder, self._stream, *self._choices.values()):
            if command is not None:
                self._write(command)

    def send(self, command: Command) -> None:
        """Ask for something; it is asked for again after a restart.

        Parameters
        ----------
        command : Command
        """
        match command:
            case LoadDecoder():
                self._decoder = command
            case OpenStream():
                self._stream = command
            case UseMarkers(selector=selector):
                if self._stream is not None:
                    self._stream = self._stream.model_copy(update={"markers": selector})
            case CloseStream():
                self._stream = None
            case ChooseChannel(channel=channel, choice="automatic"):
                self._choices.pop(channel, None)
            case ChooseChannel(channel=channel):
                self._choices[channel] = command
        self._write(command)

    def ask_to_stop(self) -> None:
        """Close the process's input, upon which it ends by itself."""
        if self._process is None:
            return
        self._process.blockSignals(True)
        self._process.closeWriteChannel()
        if not self._heard:
            # still importing, which takes seconds, and with nothing open
            self._process.kill()

    def stop(self) -> None:
        """End the process and wait for it."""
        self.ask_to_stop()
        process, self._process = self._process, None
        if process is None:
            return
        if not process.waitForFinished(PATIENCE):
            process.kill()
            process.waitForFinished(PATIENCE)
        process.deleteLater()

    def _write(self, command: Command) -> None:
        if self._process is not None:
            self._process.write(command_to_line(command))

    def _read(self) -> None:
        while self._process is not None and self._process.canReadLine():
            line = self._process.readLine().data()
            self._heard = True
            try:
                message = read_event(line)
            except ValidationError:
                self.said.emit(line.decode(errors="replace").strip())
                continue
            self._note(message)
            self.received.emit(message)

    def _note(self, message: Event) -> None:
        """Remember the decoder that was loaded: one that is refused is not asked for again."""
        match message:
            case DecoderReady(path=path):
                self._loaded = LoadDecoder(path=path)
            case Refused(command="load-decoder"):
                self._decoder = self._loaded

    def _read_errors(self) -> None:
        if self._process is None:
            return
        text = self._process.readAllStandardError().data().decode(errors="replace")
        for line in filter(str.strip, text.splitlines()):
            # liblsl's own lines say in its words what the events say in ours
            if not LIBLSL_LINE.match(line):
                self.said.emit(line)

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.deleteLater()
        crashed = status == QProcess.ExitStatus.CrashExit
        self.ended.emit(f"signal {code}" if crashed else f"exit code {code}")

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._process.deleteLater()
            self._process = None
            self.ended.emit(reason)
