"""Whether everything that is drawn can be seen: contrasts from the colours of the themes alone."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("PyQt6", reason="the windows need the extra `gui`")

from sjepa_apps.ui.theme import (
    DRAWN_CONTRAST,
    TEXT_CONTRAST,
    THEMES,
    Theme,
    blend,
    contrast,
    readable_on,
)

themes = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@themes
def test_text_stands_out_of_every_background(theme: Theme) -> None:
    texts = ("ink", "muted", "good", "warning", "bad", "marker", "event", "accent")
    for text, behind in itertools.product(texts, ("window", "panel", "raised")):
        found = contrast(getattr(theme, text), getattr(theme, behind))
        assert found >= TEXT_CONTRAST, f"{text} on {behind}: {found:.2f}"
    for text, behind in (("on_accent", "accent"), ("panel", "bad"), ("panel", "good")):
        assert contrast(getattr(theme, text), getattr(theme, behind)) >= TEXT_CONTRAST
    # the name of an electrode of which nothing is known
    assert contrast(theme.panel, theme.muted) >= TEXT_CONTRAST


@themes
def test_curves_and_traces_stand_out_of_their_background(theme: Theme) -> None:
    for colour in (theme.trace, theme.accent, *theme.classes):
        assert contrast(colour, theme.panel) >= DRAWN_CONTRAST


@themes
def test_numbers_can_be_read_in_every_cell_of_a_confusion_matrix(theme: Theme) -> None:
    for strong in (theme.good, theme.bad):
        for percent in range(0, 101, 5):
            cell = blend(strong, theme.panel, 0.15 + 0.7 * percent / 100)
            assert contrast(readable_on(cell), cell) >= TEXT_CONTRAST
