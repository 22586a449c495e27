"""Spectra of the last seconds, and how they change over a minute."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF

from sjepa_apps.live.analysis.page import MOST_CURVES, AnalysisPage, Floats, Shown, whole_rows
from sjepa_apps.live.analysis.spectra import BANDS, TOP, band_powers, power_spectra, stimulus_snr
from sjepa_apps.ui.plots import LogAxis
from sjepa_apps.ui.theme import Theme

#: Seconds that a spectrum is taken from, and that the stimulus responses are taken from.
SPECTRUM_SECONDS = 8.0
STIMULUS_SECONDS = 4.0
#: Seconds of a waterfall, and between its lines.
WATERFALL_SECONDS, LINE_EVERY = 60.0, 1.0
#: Lines that are computed at once: the traces must go on meanwhile.
MOST_LINES = 6
#: Densities (µV²/Hz) below this are drawn as this.
LEAST = 1e-4


class SpectrumPage(AnalysisPage):
    """Power spectral density, and power in bands."""

    title = "Spectrum"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Hz", "µV²/Hz")
        self.plot.setAxisItems({"left": LogAxis("left")})
        self.set_theme(theme)
        self.plot.setLogMode(y=True)
        self.plot.setXRange(0, TOP, padding=0)
        self.offer_maps([_band_text(name) for name in BANDS])
        self.mapped.setCurrentIndex(list(BANDS).index("alpha"))

    def update_from(self, shown: Shown) -> None:
        """Draw the spectra of the channels in view."""
        samples = newest(shown, SPECTRUM_SECONDS)
        frequencies, densities = power_spectra(samples, shown.store.sfreq)
        rows = shown.good_rows
        self.plot.clear()
        curves = densities[rows]
        names = [shown.names[row] for row in rows]
        if len(rows) > MOST_CURVES:
            curves = np.median(whole_rows(curves), axis=0, keepdims=True)
            names = [f"median of {len(rows)} channels"]
        legend = []
        for index, (curve, name) in enumerate(zip(curves, names, strict=True)):
            colour = self.curve_colour(index)
            values = np.log10(np.maximum(curve[1:], LEAST))
            if np.isfinite(values).all():
                pen = pg.mkPen(colour, width=1.4)
                # the scale is logarithmic, so pyqtgraph takes the logarithm itself
                self.plot.plot(frequencies[1:], 10**values, pen=pen, antialias=True)
                legend.append((name, colour))
        powers = band_powers(frequencies, densities)
        names = [name for name, _ in legend]
        seconds = samples.shape[1] / shown.store.sfreq
        self.told.setText(_told(names, seconds, whole_rows(powers[rows])))
        self.show_maps(10 * np.log10(np.maximum(powers, LEAST)), shown.store.is_bad, "dB", False)


def _told(names: list[str], seconds: float, powers: Floats) -> str:
    """Tell which channels are drawn, and the power in bands, in the middle of the channels."""
    if not names:
        return f"The last {seconds:.0f} s have no good channel whose signal is whole."
    middle = np.median(powers, axis=0)
    told = ", ".join(f"{name} {power:.3g}" for name, power in zip(BANDS, middle, strict=True))
    return f"{', '.join(names)}; last {seconds:.0f} s. Power (µV²): {told}"


class WaterfallPage(AnalysisPage):
    """How the spectrum has changed over the last minute, the newest line at the top."""

    title = "Waterfall"

    def __init__(self, theme: Theme) -> None:
        self._image = pg.ImageItem(axisOrder="row-major")
        super().__init__(theme, "Hz", "s")
        self.plot.setXRange(0, TOP, padding=0)
        self.plot.setYRange(-WATERFALL_SECONDS, 0, padding=0)
        self._lines: dict[int, Floats] = {}
        self._rows_of_lines: tuple[int, ...] = ()
        self.offer_maps([_band_text(name) for name in BANDS])
        self.mapped.setCurrentIndex(list(BANDS).index("alpha"))

    def begin(self, shown: Shown | None) -> None:
        """Begin anew with another stream."""
        super().begin(shown)
        self._lines = {}

    def update_from(self, shown: Shown) -> None:
        """Add the lines that are new, or all of them where other channels are in view."""
        store = shown.store
        every = round(LINE_EVERY * store.sfreq)
        rows = tuple(shown.good_rows)
        if rows != self._rows_of_lines:
            self._lines, self._rows_of_lines = {}, rows
        newest_line = store.shown.stop // every
        first = newest_line - int(WATERFALL_SECONDS / LINE_EVERY)
        self._lines = {line: one for line, one in self._lines.items() if line > first}
        frequencies, n_added = np.empty(0), 0
        for line in range(newest_line, first, -1):
            start = line * every - 2 * every
            if line in self._lines or start < store.raw.start:
                continue
            if n_added == MOST_LINES:
                break
            n_added += 1
            frequencies, densities = power_spectra(
                store.referenced(start, line * every)[list(rows)], store.sfreq
            )
            self._lines[line] = whole_rows(densities).mean(axis=0)
        self._draw(newest_line, first)
        self.told.setText(f"{shown.title}: density in dB over the last minute, now at the top")
        if len(frequencies):
            spectra = power_spectra(newest(shown, SPECTRUM_SECONDS), store.sfreq)
            powers = 10 * np.log10(np.maximum(band_powers(*spectra), LEAST))
            self.show_maps(powers, store.is_bad, "dB", False)

    def _draw(self, newest_line: int, first: int) -> None:
        if not self._lines:
            return
        n_bins = len(next(iter(self._lines.values())))
        picture = np.full((newest_line - first, n_bins), np.nan)
        for line, density in self._lines.items():
            picture[line - first - 1] = 10 * np.log10(np.maximum(density, LEAST))
        known = picture[np.isfinite(picture)]
        if not len(known):
            return
        levels = np.percentile(known, [5, 99])
        self._image.setImage(picture, levels=levels, autoLevels=False)
        self._image.setColorMap(pg.colormap.get("viridis"))
        self._image.setRect(QRectF(0, -WATERFALL_SECONDS, TOP, WATERFALL_SECONDS))
        self.plot.clear()
        self.plot.addItem(self._image)


class StimulusPage(AnalysisPage):
    """How far the response to each stimulus frequency stands out of the noise beside it."""

    title = "SSVEP"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Hz", "signal-to-noise")
        self._frequencies: tuple[float, ...] = ()

    def begin(self, shown: Shown | None) -> None:
        """Begin anew with another stream or decoder."""
        super().begin(shown)
        protocol = None if shown is None else shown.protocol
        self._frequencies = () if protocol is None else protocol.frequencies
        self.offer_maps([f"{frequency:.4g} Hz" for frequency in self._frequencies])

    def update_from(self, shown: Shown) -> None:
        """Draw a bar for each frequency and its second harmonic."""
        if not self._frequencies:
            self.told.setText("The decoder has no stimulus frequencies.")
            return
        samples = newest(shown, STIMULUS_SECONDS)
        if samples.shape[1] < STIMULUS_SECONDS * shown.store.sfreq:
            self.told.setText(f"{STIMULUS_SECONDS:.0f} s of signal are needed.")
            return
        filled = np.where(np.isfinite(samples).all(axis=1, keepdims=True), samples, np.nan)
        harmonics = [factor * one for factor in (1, 2) for one in self._frequencies]
        ratios = stimulus_snr(filled, shown.store.sfreq, harmonics)
        means = whole_rows(ratios[shown.good_rows]).mean(axis=0)
        n = len(self._frequencies)
        self.plot.clear()
        for harmonic, width in ((0, 0.36), (1, 0.24)):
            heights = np.nan_to_num(means[harmonic * n : (harmonic + 1) * n])
            brushes = [self.curve_colour(index) for index in range(n)]
            x = np.arange(n) + (-0.2 if harmonic == 0 else 0.18)
            self.plot.addItem(
                pg.BarGraphItem(x=x, height=heights, width=width, brushes=brushes, pen=None)
            )
        self.plot.addLine(y=1, pen=pg.mkPen(self._theme.muted))
        ticks = [(index, f"{one:.3g}") for index, one in enumerate(self._frequencies)]
        self.plot.getAxis("bottom").setTicks([ticks])
        self.plot.setYRange(
            0, max(float(np.nan_to_num(means).max(initial=0.0)) * 1.1, 3.0), padding=0
        )
        self.told.setText(
            f"{shown.title}, last {STIMULUS_SECONDS:.0f} s: power over that beside the frequency "
            "(narrow: second harmonic); 1 is no response"
        )
        self.show_maps(ratios[:, :n], shown.store.is_bad, "", False)


def newest(shown: Shown, seconds: float) -> np.ndarray:
    """Return the newest samples of all channels, fewer where fewer are held."""
    store = shown.store
    stop = store.raw.stop
    start = max(stop - round(seconds * store.sfreq), store.raw.start)
    return store.referenced(start, stop)


def _band_text(name: str) -> str:
    low, high = BANDS[name]
    return f"{name} ({low:g}-{high:g} Hz)"
