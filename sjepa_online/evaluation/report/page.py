"""The calibration report as one HTML page that needs no other file and no network."""

from __future__ import annotations

import base64
from datetime import datetime
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template

from matplotlib.figure import Figure

from sjepa_online.evaluation.plots import to_svg
from sjepa_online.evaluation.report import figures
from sjepa_online.evaluation.report.advice import advise
from sjepa_online.evaluation.report.content import ReportContent
from sjepa_online.evaluation.report.names import spoken
from sjepa_online.evaluation.report.scalp import LEAST_FOR_MAP
from sjepa_online.evaluation.report.signals import draw_signals
from sjepa_online.evaluation.report.trials_curve import CURVE_DECODER
from sjepa_online.foreign_text import clean_lines

PATTERN_HINTS = {
    "erp": "xDAWN components: where the response to the target is seen, with its sign.",
    "mi": "Common spatial patterns, 8 to 30 Hz. Imagery weakens the rhythm over the opposite "
    "hemisphere, so the source that is the strongest during one class often lies over the "
    "hand area that the other class uses.",
    "ssvep": "Where the response to each flicker is seen; most often at the back of the head.",
}
SIGNAL_HINTS = {
    "erp": "Means with their 95 % intervals, at the electrodes with the strongest patterns.",
    "mi": "Mean power spectra at the electrodes with the strongest patterns. Imagery shows as a "
    "difference between 8 and 30 Hz.",
    "ssvep": "Mean power spectra at the electrodes with the strongest patterns. Dashed: the "
    "stimulus frequencies; dotted: their second harmonics.",
}


def render(content: ReportContent, created: datetime) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    content : ReportContent
    created : datetime
        When, for the heading.

    Returns
    -------
    str
    """
    side_by_side = _decisions(content) + ([_curve(content)] if content.curve else [])
    cards = [
        _hero(content),
        _advice(content),
        _compared(content),
        f'<div class="row">{"".join(side_by_side)}</div>',
        *([_letters(content)] if content.letters else []),
        _patterns(content),
        _signals(content),
        _channels(content),
        _details(content),
    ]
    protocol = content.trials.protocol
    template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    page = template.substitute(
        protocol=escape(protocol.name),
        lead=escape(
            f"{protocol.description or protocol.name} · {created:%Y-%m-%d %H:%M} · "
            f"sjepa-online {version('sjepa-online')}"
        ),
        banner=_banner(content),
        cards="\n".join(cards),
    )
    # names of channels and classes are foreign text; the figures are in base64
    return clean_lines(page)


def _banner(content: ReportContent) -> str:
    if not content.decoder.calibration.simulated:
        return ""
    return (
        '<div class="simulated">Simulated: no person was recorded, so nothing here says how '
        "well decoding works on one.</div>"
    )


def _hero(content: ReportContent) -> str:
    score, decoder = content.score, content.decoder
    rate = content.bits_per_minute
    facts = {
        "participant": content.facts.get("Participant", ""),
        "95 % interval": f"{score.low:.2f} to {score.high:.2f}",
        "chance": f"{score.chance:.2f}",
        "guessing stays below (95 %)": f"{score.threshold:.2f}",
        "bits per minute of stimuli": "" if rate is None else f"{rate:.1f}",
        "decoder": content.decoder_name,
        "trials": str(len(content.trials.y)),
        "channels": str(len(content.trials.ch_names)),
        "recorded": f"{content.duration / 60:.1f} min at {decoder.calibration.sfreq:g} Hz",
    }
    if content.forehead is not None:
        facts["forehead alone"] = f"{content.forehead.forehead.value:.2f}"
    told = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
        if value
    )
    return (
        f'<section class="card hero {"good" if score.above_chance else "bad"}">'
        f'<div><div class="number">{score.value:.2f}</div>'
        f'<div class="unit">{score.name} in cross-validation</div></div>'
        f'<dl class="facts">{told}</dl></section>'
    )


def _advice(content: ReportContent) -> str:
    items = "".join(f'<li class="{one.level}">{escape(one.text)}</li>' for one in advise(content))
    return _card("What it means, and what to do", f'<ul class="advice">{items}</ul>')


def _compared(content: ReportContent) -> str:
    hint = (
        "Bars: 95 % intervals. A score in the grey area is within reach of guessing. "
        "Every score is from trials that the decoder did not see."
    )
    return _card(
        "Decoders compared", _figure(figures.draw_compared(content), "Scores of decoders"), hint
    )


def _decisions(content: ReportContent) -> list[str]:
    names = content.trials.protocol.class_names
    confusion = _card(
        "Confusion matrix",
        _figure(figures.draw_confusion(content.confusion, names), "Confusion matrix"),
        "Trials of each true class by the class that was decided, in cross-validation.",
    )
    if content.roc is None:
        return [confusion]
    roc = _card(
        "ROC curve",
        _figure(figures.draw_roc(content.roc, content.score), "ROC curve"),
        "Targets found against non-targets taken for one, at every threshold.",
    )
    return [roc, confusion]


def _curve(content: ReportContent) -> str:
    return _card(
        "Is it worth recording more?",
        _figure(figures.draw_curve(content), "Score against the number of trials"),
        f"The first trials of each class, more and more of them, in cross-validation, with 95 % "
        f"intervals. Drawn with the decoder {CURVE_DECODER}, which is quick to fit.",
    )


def _letters(content: ReportContent) -> str:
    n_letters = content.letters[0].n_letters
    return _card(
        "Letters by repetitions",
        _figure(figures.draw_letters(content.letters), "Letters right by repetitions"),
        f"The {n_letters} letters of the calibration, spelled from flashes that the decoder did "
        "not see. A repetition: each symbol lights up once. Band: 95 % interval. The rate leaves "
        "out the pauses between letters.",
    )


def _patterns(content: ReportContent) -> str:
    ch_names = content.shown.ch_names
    hint = PATTERN_HINTS[content.trials.protocol.paradigm]
    if not content.score.above_chance:
        hint = f"The decoder is at chance, so these maps show noise. {hint}"
    if len(ch_names) < len(content.trials.ch_names):
        hint += " The channels pointed out above are left out."
    if len(ch_names) < LEAST_FOR_MAP:
        hint += f" With fewer than {LEAST_FOR_MAP} electrodes nothing is drawn between them."
    figure = figures.draw_patterns(content.patterns, ch_names)
    return _card("Where the classes differ", _figure(figure, "Scalp maps of patterns"), hint)


def _signals(content: ReportContent) -> str:
    paradigm = content.trials.protocol.paradigm
    title = "Evoked potentials" if paradigm == "erp" else "Power spectra"
    figure = draw_signals(content.shown, content.patterns)
    return _card(title, _figure(figure, f"{title} of each class"), SIGNAL_HINTS[paradigm])


def _channels(content: ReportContent) -> str:
    hint = (
        "Amplitude: robust standard deviation within the trials, 0.5 to 40 Hz; the dashed lines "
        "are a third and three times the median. Mains: share of the power of the unfiltered "
        "recordings from 1 to 70 Hz."
    )
    figure = figures.draw_channels(content.channels)
    return _card("Channels", _figure(figure, "Channel quality"), hint)


def _details(content: ReportContent) -> str:
    decoder = content.decoder
    calibration, preprocessing = decoder.calibration, decoder.preprocessing
    protocol = decoder.protocol
    rows = dict(content.facts) | {
        "Recordings": ", ".join(calibration.sources),
        "Window": f"{protocol.window.length:g} s from {protocol.window.start:g} s after the marker",
        "Classes": ", ".join(
            f"{spoken(name)} ({count})"
            for name, count in zip(protocol.class_names, content.confusion.sum(1), strict=True)
        ),
        "Filter": f"{preprocessing.l_freq:g} to {preprocessing.h_freq:g} Hz, causal; "
        f"reference: {preprocessing.reference}",
        "Choice": calibration.choice,
        "Population": calibration.population,
        "Interval": "Wilson (accuracy) or bootstrap over trials (AUC); threshold: binomial "
        "(accuracy, Combrisson and Jerbi 2015) or Mann-Whitney (AUC), 5 %.",
    }
    told = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in rows.items()
        if value
    )
    return _card("Details", f"<table>{told}</table>")


def _card(title: str, body: str, hint: str = "") -> str:
    note = f'<p class="hint">{escape(hint)}</p>' if hint else ""
    return f'<section class="card"><h2>{escape(title)}</h2>{body}{note}</section>'


def _figure(figure: Figure, description: str) -> str:
    encoded = base64.b64encode(to_svg(figure)).decode()
    return (
        f'<figure><img alt="{escape(description)}" src="data:image/svg+xml;base64,{encoded}">'
        "</figure>"
    )
