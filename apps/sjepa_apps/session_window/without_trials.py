"""A decoder without labelled trials: a minute of signal, then the decoder and its file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sjepa_apps.session.folder import SESSIONS
from sjepa_apps.session.identity import new_path
from sjepa_apps.session_window.choices import Choices
from sjepa_apps.session_window.setup import SessionSetup, UnlabelledResult
from sjepa_online.amplifier import pick_channels
from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import load_protocol
from sjepa_online.stream.stretch import ALIGNMENT_SECONDS, record_stretch


class Alignment:
    """Makes the decoder, in one call that another thread may stop.

    Parameters
    ----------
    setup : SessionSetup
    choices : Choices
    progress : callable
        Called for each second that is recorded.
    """

    def __init__(self, setup: SessionSetup, choices: Choices, progress: Callable[[], None]) -> None:
        self._setup = setup
        self._choices = choices
        self._progress = progress
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let :meth:`make` end soon, by an error that says that it was stopped."""
        self._stopped.set()

    def make(self) -> UnlabelledResult:
        """Record a minute, align a decoder to it, and save it in a folder of its own.

        Returns
        -------
        result : UnlabelledResult

        Raises
        ------
        InputError
            There is no such decoder, the signal is too short or full of artefacts, or the folder
            is not empty.
        OperationError
            The stream sends too little, or it was stopped.
        """
        # takes seconds to load
        from sjepa_online.signal import PreprocessorConfig
        from sjepa_online.training.without_labels import (
            calibrate_without_labels,
            require_possible,
        )

        choices, request = self._choices, self._setup.request
        protocol = load_protocol(choices.paradigm)
        names = pick_channels(choices.stream.declaration, choices.amplifier).ch_names
        require_possible(protocol, request, names)
        path = self._file(protocol.name)
        recording = record_stretch(
            choices.stream,
            ALIGNMENT_SECONDS,
            choices.amplifier,
            self._progress,
            self._check_stopped,
        )
        made = calibrate_without_labels([recording], protocol, PreprocessorConfig(), request)
        self._check_stopped()
        path.parent.mkdir(parents=True, exist_ok=True)
        made.decoder.save(path)
        return UnlabelledResult(made, path)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise OperationError("It was stopped: no decoder was made")

    def _file(self, protocol: str) -> Path:
        """Return where the decoder goes; a folder that was asked for must be empty."""
        setup, identity = self._setup, self._choices.identity
        if setup.out is not None:
            return setup.out
        folder = setup.folder
        if folder is None:
            folder = new_path(SESSIONS, identity, protocol, setup.pattern, datetime.now())
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                "The folder for the decoder is not empty",
                value=folder,
                remedy="Choose another --folder, or leave it out.",
            )
        return setup.decoder_file(folder)
