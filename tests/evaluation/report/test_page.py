from __future__ import annotations

import base64
import re
import xml.etree.ElementTree
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from sjepa_online.evaluation.report import render

CREATED = datetime(2026, 1, 2, 3, 4)
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Collects the text and the images of a page, and checks that its elements nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data

    @property
    def images(self) -> list[bytes]:
        return [base64.b64decode(one.partition(",")[2]) for one in self.addresses]


@pytest.mark.parametrize(
    ("paradigm", "n_channels"), [("mi", 2), ("mi", 20), ("erp", 8), ("ssvep", 3)]
)
def test_the_page_is_whole_and_needs_nothing_else(
    content_of, scalp_recording, paradigm, n_channels
):
    content = content_of(paradigm, scalp_recording(paradigm, n_channels))
    html = render(content, CREATED)
    page = Page(html)
    assert all(one.startswith("data:image/svg+xml;base64,") for one in page.addresses)
    assert "script" not in page.tags
    assert "default-src 'none'" in html
    for image in page.images:
        root = xml.etree.ElementTree.fromstring(image)
        assert root.tag.endswith("svg")
        addresses = [value for element in root.iter() for value in element.attrib.values()]
        assert not any(value.startswith(("http", "//", "file")) for value in addresses)
    # compared, confusion, curve, maps, signals, channels, and the ROC of ERP
    assert len(page.images) == 6 + (paradigm == "erp")
    assert f"{content.score.value:.2f}" in page.text
    assert "2026-01-02 03:04" in page.text
    assert "Simulated: no person was recorded" in page.text


def test_names_cannot_break_out_of_the_page(content_of, scalp_recording):
    evil = '<script>alert("1")</script>&amp;'
    recording = replace(scalp_recording("mi", 2), name=evil)
    content = content_of("mi", recording)
    protocol = content.trials.protocol.model_copy(update={"description": evil})
    trials = replace(content.trials, protocol=protocol, dropped=(evil,))
    page = Page(render(replace(content, trials=trials), CREATED))
    assert "script" not in page.tags
    assert page.text.count(evil) == 3  # description, dropped trials, recordings


def test_the_same_calibration_gives_the_same_page(content_of, scalp_recording):
    content = content_of("ssvep", scalp_recording("ssvep", 8))
    assert render(content, CREATED) == render(content, CREATED)


def test_at_chance_the_maps_are_called_noise(content_of, scalp_recording):
    content = content_of("mi", scalp_recording("mi", 4, strength=0.0))
    assert not content.score.above_chance
    text = Page(render(content, CREATED)).text
    assert "At chance" in text
    assert "these maps show noise" in text


def test_a_noisy_channel_is_named_and_left_out_of_the_maps(content_of, scalp_recording):
    recording = scalp_recording("mi", 6)
    data = recording.data.copy()
    data[3] *= 20
    content = content_of("mi", replace(recording, data=data))
    assert content.shown.ch_names == ("C3", "C4", "Cz", "Oz", "Fz")
    text = Page(render(content, CREATED)).text
    assert re.search(r"Pz has \d\d\.\d times the median amplitude", text)
    assert "pointed out above are left out" in text


@pytest.mark.slow
def test_what_the_report_counts_agrees_with_the_calibration(content_of, scalp_recording):
    content = content_of("erp", scalp_recording("erp", 8))
    summary = content.decoder.calibration.cross_validation["riemann"]
    assert content.score.value == pytest.approx(summary["roc_auc"])
    assert content.confusion.sum() == len(content.trials.y)
    assert np.trace(content.confusion) / content.confusion.sum() == summary["accuracy"]
    false_positives, true_positives = content.roc
    assert np.trapezoid(true_positives, false_positives) == pytest.approx(summary["roc_auc"])
    # the last point has the training trials of all folds, hence the decoder's own score
    last = content.curve[-1]
    assert last.value == pytest.approx(summary["roc_auc"], abs=1e-6)
    assert last.low <= last.value <= last.high
    assert last.size == round(0.8 * len(content.trials.y))
