"""``sjepa-online calibrate --trials 0``: a decoder without labelled trials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sjepa_apps.cli.common import (
    LslScope,
    check_out,
    configure_lsl,
    echo,
    print_json,
    progress_bar,
    say,
)

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.data import Recording
    from sjepa_online.decoding import Decoder, DecoderRequest
    from sjepa_online.protocol import Protocol


@dataclass(frozen=True)
class AlignmentStream:
    """The stream that aligns a decoder where there are no recordings.

    Attributes
    ----------
    name : str or None
        None for the only one in sight.
    amplifier : AmplifierProfile
        What is known beside what it declares; of recordings too.
    wait : float
        How long it may take to appear (s).
    scope : LslScope or None
    """

    name: str | None
    amplifier: AmplifierProfile
    wait: float
    scope: LslScope | None

    def record(self, protocol: Protocol, request: DecoderRequest) -> Recording:
        """Record a minute of the stream.

        Parameters
        ----------
        protocol : Protocol
        request : DecoderRequest
            What is to be made of it.

        Returns
        -------
        recording : Recording

        Raises
        ------
        InputError
            There is no such stream, or several, or no such decoder can be made of it.
        OperationError
            It sends too little.
        """
        configure_lsl(self.scope)
        from sjepa_online.amplifier import pick_channels
        from sjepa_online.stream import resolve_stream
        from sjepa_online.stream.stretch import ALIGNMENT_SECONDS, record_stretch
        from sjepa_online.training.without_labels import require_possible

        found = resolve_stream(self.name, self.wait, prefers=self.amplifier.prefers)
        names = pick_channels(found.declaration, self.amplifier).ch_names
        require_possible(protocol, request, names)
        say(f"Recording {ALIGNMENT_SECONDS} s of {found.name}; no label is needed")
        with progress_bar("Recording", ALIGNMENT_SECONDS) as advance:
            return record_stretch(found, ALIGNMENT_SECONDS, self.amplifier, advance)


def calibrate_without_labels(
    paradigm: str,
    sources: list[str] | None,
    stream: AlignmentStream,
    request: DecoderRequest,
    out: Path,
    *,
    overwrite: bool,
    json: bool,
) -> None:
    """Align a decoder to the person's signal, save it, and tell what it is.

    Parameters
    ----------
    paradigm : str
        Name or path of the protocol.
    sources : list of str or None
        Recordings to align to; None for the stream.
    stream : AlignmentStream
    request : DecoderRequest
    out : Path
        Decoder file.
    overwrite : bool
        Whether an existing file may be replaced.
    json : bool
        Print one JSON document instead of text.

    Raises
    ------
    InputError
        There is no decoder without labels for the paradigm, or too little signal.
    """
    from sjepa_online.data import load_sources
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import without_labels

    check_out(out, overwrite)
    protocol = load_protocol(paradigm)
    if sources:
        recordings = load_sources(sources, stream.amplifier)
    else:
        recordings = [stream.record(protocol, request)]
    made = without_labels.calibrate_without_labels(
        recordings, protocol, PreprocessorConfig(), request
    )
    for reason in made.dropped:
        say(f"left out: {reason}")
    made.decoder.save(out)
    tell_unlabelled(made.decoder, made.seconds, made.fit_seconds, out, json=json)


def tell_unlabelled(
    decoder: Decoder, seconds: float, fit_seconds: float, out: Path, *, json: bool
) -> None:
    """Print what a decoder without labels is.

    Parameters
    ----------
    decoder : Decoder
    seconds : float
        Of signal that aligned it.
    fit_seconds : float
    out : Path
        Its file.
    json : bool
        Print one JSON document instead of text.
    """
    choice = decoder.calibration.choice
    if json:
        print_json(
            {
                "paradigm": decoder.protocol.name,
                "decoder": decoder.name,
                "classes": list(decoder.classes),
                "n_trials": 0,
                "cv": {},
                "choice": choice,
                "seconds": seconds,
                "fit_s": fit_seconds,
                "out": str(out),
            }
        )
        return
    echo(f"No labelled trial; {choice}")
    echo(f"Aligned on {seconds:.0f} s of signal; saved {out}")
