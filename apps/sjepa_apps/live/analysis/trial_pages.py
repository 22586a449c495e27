"""Averages over the trials of each class, as they build up."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor

from sjepa_apps.live.analysis.averages import ClassAverages, ResponseAverages, RhythmAverages
from sjepa_apps.live.analysis.page import AnalysisPage, Floats, Shown, whole_rows
from sjepa_apps.live.analysis.trials import TrialCollector, class_finder
from sjepa_apps.ui.theme import Theme
from sjepa_apps.ui.widgets import class_labels

WAITING = "No trial yet: averages need a marker stream whose markers name the classes."
#: Bands (Hz) and times (s after the cue) of the maps of event-related desynchronisation.
ERD_BANDS = ((8.0, 13.0), (13.0, 30.0))
ERD_TIMES = (0.5, 3.5)
#: Change of power (%) that has the full colour.
FULL_CHANGE = 100.0


class _TrialPage(AnalysisPage):
    """A page of averages; trials are taken in while it is open, and at first those that are held.

    A class stands in the order in which the protocol has it.
    """

    def __init__(self, theme: Theme, bottom: str, left: str) -> None:
        self._collector: TrialCollector | None = None
        self._labels: dict[str, str] = {}
        super().__init__(theme, bottom, left)

    def begin(self, shown: Shown | None) -> None:
        """Begin anew with another stream, decoder or reference."""
        super().begin(shown)
        self._collector = None
        self.offer_maps([])
        if shown is not None:
            self._labels = {} if shown.protocol is None else class_labels(shown.protocol)
            averages = self.make_averages(shown.store.sfreq)
            self._collector = TrialCollector(shown.store, averages, class_finder(shown.protocol))

    def make_averages(self, sfreq: float) -> ClassAverages:
        """Return empty averages."""
        raise NotImplementedError

    def draw(self, shown: Shown, labels: list[str]) -> None:
        """Draw the averages of these classes."""
        raise NotImplementedError

    def update_from(self, shown: Shown) -> None:
        """Take in what is new, and draw it."""
        assert self._collector is not None
        changed = self._collector.collect()
        labels = self.ordered()
        if not labels:
            self.told.setText(WAITING)
        elif changed or self._drawn_for != shown.rows:
            self._drawn_for = shown.rows
            self.draw(shown, labels)

    _drawn_for: tuple[int, ...] | None = None

    def ordered(self) -> list[str]:
        """Return the classes that have trials, in the order of the protocol."""
        assert self._collector is not None
        seen = self._collector.averages.by_class
        known = [name for name in self._labels if name in seen]
        return known + [name for name in seen if name not in self._labels]

    def told_counts(self, labels: list[str]) -> str:
        """Tell how many trials of each class there are."""
        assert self._collector is not None
        averages = self._collector.averages
        return ", ".join(f"{self.text_of(name)} {averages.by_class[name].n}" for name in labels)

    def text_of(self, label: str) -> str:
        """Return a class for people."""
        return self._labels.get(label, label.replace("_", " "))

    def colour_of(self, label: str, labels: list[str]) -> QColor:
        """Return the colour of a class, as everywhere else."""
        order = list(self._labels) or labels
        return self.curve_colour(order.index(label) if label in order else len(order))


class ResponsePage(_TrialPage):
    """Event-related potentials of each class."""

    title = "Responses (ERP)"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "s after the marker", "µV")

    def make_averages(self, sfreq: float) -> ClassAverages:
        """Return empty averages of responses."""
        return ResponseAverages(sfreq)

    def draw(self, shown: Shown, labels: list[str]) -> None:
        """Draw a curve a class, and the map where their difference is the largest."""
        assert self._collector is not None
        averages = self._collector.averages
        assert isinstance(averages, ResponseAverages)
        means = {label: averages.by_class[label].mean for label in labels}
        self.plot.clear()
        self.plot.addLine(x=0, pen=pg.mkPen(self._theme.muted))
        rows = shown.good_rows
        for label, mean in means.items():
            curve = whole_rows(mean[rows]).mean(axis=0)
            pen = pg.mkPen(self.colour_of(label, labels), width=1.8)
            if np.isfinite(curve).all():
                self.plot.plot(averages.times, curve, pen=pen, antialias=True)
        contrast = self._contrast(means, labels)
        after = averages.times > 0
        strength = np.sqrt(np.mean(whole_rows(contrast[:, after]) ** 2, axis=0))
        peak = averages.times[after][int(np.argmax(np.nan_to_num(strength)))]
        place = int(np.argmin(np.abs(averages.times - peak)))
        at = f"at {1000 * peak:.0f} ms"
        texts = [f"{self.text_of(label)}" for label in labels]
        self.offer_maps(["difference", *texts] if len(labels) > 1 else texts)
        columns = [mean[:, place] for mean in means.values()]
        if len(labels) > 1:
            columns.insert(0, contrast[:, place])
        self.show_maps(np.column_stack(columns), shown.store.is_bad, "µV", True)
        self.told.setText(
            f"{shown.title}. Trials: {self.told_counts(labels)}. The map is {at}, where classes "
            "differ the most"
        )

    @staticmethod
    def _contrast(means: dict[str, Floats], labels: list[str]) -> Floats:
        """Return the first class less the mean of the others; alone, the class itself."""
        first = means[labels[0]]
        others = [means[label] for label in labels[1:]]
        return first - np.mean(others, axis=0) if others else first


class RhythmPage(_TrialPage):
    """Event-related desynchronisation of a class against rest, by time and frequency."""

    title = "Rhythms (ERD)"

    def __init__(self, theme: Theme) -> None:
        self._image = pg.ImageItem(axisOrder="row-major")
        super().__init__(theme, "s after the cue", "Hz")
        self.mapped.currentIndexChanged.connect(self._choose_class)
        self._shown: Shown | None = None

    def make_averages(self, sfreq: float) -> ClassAverages:
        """Return empty averages of rhythms."""
        return RhythmAverages(sfreq)

    def _choose_class(self) -> None:
        if self._shown is not None and self._collector is not None and self.ordered():
            self.draw(self._shown, self.ordered())

    def draw(self, shown: Shown, labels: list[str]) -> None:
        """Draw the change of power of the class that the map is of."""
        self._shown = shown
        assert self._collector is not None
        averages = self._collector.averages
        assert isinstance(averages, RhythmAverages)
        changes = {label: averages.change(label) for label in labels}
        self.offer_maps(
            [
                f"{self.text_of(label)}, {low:g}-{high:g} Hz"
                for label in labels
                for low, high in ERD_BANDS
            ]
        )
        late = (averages.times >= ERD_TIMES[0]) & (averages.times <= ERD_TIMES[1])
        columns = []
        for change in changes.values():
            for low, high in ERD_BANDS:
                inside = (averages.frequencies >= low) & (averages.frequencies < high)
                columns.append(change[:, inside][:, :, late].mean(axis=(1, 2)))
        self.show_maps(np.column_stack(columns), shown.store.is_bad, "%", True)
        chosen = labels[max(self.mapped.currentIndex(), 0) // len(ERD_BANDS)]
        picture = whole_rows(changes[chosen][shown.good_rows]).mean(axis=0)
        self._draw_picture(picture, averages)
        self.told.setText(
            f"{self.text_of(chosen)}, {shown.title}: power against rest from −{FULL_CHANGE:.0f} % "
            f"(blue) to +{FULL_CHANGE:.0f} % (orange). Trials: {self.told_counts(labels)}"
        )

    def _draw_picture(self, picture: Floats, averages: RhythmAverages) -> None:
        theme = self._theme
        colours = [QColor(theme.classes[0]), QColor(theme.panel), QColor(theme.classes[1])]
        self._image.setImage(
            np.nan_to_num(picture), levels=(-FULL_CHANGE, FULL_CHANGE), autoLevels=False
        )
        self._image.setColorMap(pg.ColorMap([0.0, 0.5, 1.0], colours))
        times, frequencies = averages.times, averages.frequencies
        step = times[1] - times[0]
        self._image.setRect(
            QRectF(
                times[0] - step / 2,
                frequencies[0] - 0.5,
                times[-1] - times[0] + step,
                len(frequencies),
            )
        )
        self.plot.clear()
        self.plot.addItem(self._image)
        self.plot.addLine(x=0, pen=pg.mkPen(theme.muted))
        self.plot.setXRange(times[0], times[-1], padding=0)
        self.plot.setYRange(frequencies[0], frequencies[-1], padding=0)
