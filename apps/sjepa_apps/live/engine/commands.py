"""Commands of the command line that the window starts: replay, simulate, calibrate."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from PyQt6.QtCore import QObject, QProcess, QTimer, pyqtSignal

from sjepa_online.foreign_text import clean_text

#: Arguments of Python; -P keeps modules in the working folder from being run.
PROGRAM = ("-P", "-m", "sjepa_apps.attached")
#: How long (ms) a command may take to end when asked to.
PATIENCE = 2000


@dataclass(eq=False)
class RunningCommand:
    """A command that is running.

    Attributes
    ----------
    title : str
        What it does, for people.
    process : QProcess
    """

    title: str
    process: QProcess


class CommandRunner(QObject):
    """Run commands of this program beside the window; they end with it.

    Signals
    -------
    said
        Title of the command, and a line that it wrote.
    ended
        Title of the command, and its exit code.
    changed
        A command has begun or ended.
    """

    said = pyqtSignal(str, str)
    ended = pyqtSignal(str, int)
    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.running: list[RunningCommand] = []

    def run(self, title: str, arguments: list[str]) -> None:
        """Start a command.

        Parameters
        ----------
        title : str
            What the command does, for people.
        arguments : list of str
            Words of the command line after the program's name.
        """
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        command = RunningCommand(title, process)
        process.readyReadStandardOutput.connect(lambda: self._read(command))
        process.finished.connect(lambda code, _: self._finished(command, code))
        self.running.append(command)
        process.start(sys.executable, [*PROGRAM, *arguments])
        self.changed.emit()

    def stop(self, command: RunningCommand) -> None:
        """Ask a command to end; kill it when it does not.

        Parameters
        ----------
        command : RunningCommand
        """
        command.process.terminate()
        QTimer.singleShot(PATIENCE, lambda: self._kill(command))

    def close(self) -> None:
        """End all commands, which have the same time for it, and wait for them."""
        for command in self.running:
            command.process.blockSignals(True)
            command.process.terminate()
        until = time.monotonic() + PATIENCE / 1000
        for command in self.running:
            left = max(until - time.monotonic(), 0.0)
            if not command.process.waitForFinished(round(1000 * left)):
                command.process.kill()
                command.process.waitForFinished(PATIENCE)
            command.process.deleteLater()
        self.running.clear()

    def _kill(self, command: RunningCommand) -> None:
        if command in self.running:
            command.process.kill()

    def _read(self, command: RunningCommand) -> None:
        """Tell whole lines: what is written may arrive in pieces."""
        while command.process.canReadLine():
            self._tell(command, command.process.readLine().data())

    def _tell(self, command: RunningCommand, text: bytes) -> None:
        for line in text.decode(errors="replace").splitlines():
            if shown := clean_text(line, 1000):
                self.said.emit(command.title, shown)

    def _finished(self, command: RunningCommand, code: int) -> None:
        # the last line may lack its end
        self._tell(command, command.process.readAllStandardOutput().data())
        self.running.remove(command)
        command.process.deleteLater()
        self.ended.emit(command.title, code)
        self.changed.emit()
