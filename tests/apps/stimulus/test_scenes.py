from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import QRectF, QSizeF
from PyQt6.QtGui import QImage, QPainter

from sjepa_apps.session.free_spelling import FreeTrials
from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.messages import FLICKER_WARNING, STOP_QUESTION, draw_message
from sjepa_apps.stimulus.scenes import make_scene
from sjepa_apps.stimulus.scenes.flicker import FlickerScene, place_targets
from sjepa_apps.stimulus.scenes.speller import SpellerScene
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.schedule import Phase, ScheduledTrial, make_schedule

SIZE = QSizeF(960, 540)


def render(draw: Any, scene: Any = None) -> np.ndarray:
    """Draw and return the grey levels (height, width) from 0 to 255."""
    image = QImage(SIZE.toSize(), QImage.Format.Format_RGB32)
    image.fill(theme.BACKGROUND)
    painter = QPainter(image)
    if scene is not None:
        scene.resize(SIZE, 1.0)
    draw(painter)
    painter.end()
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    pointer = grey.constBits()
    pointer.setsize(grey.sizeInBytes())
    return np.frombuffer(bytes(pointer), np.uint8).reshape(grey.height(), grey.bytesPerLine())


def level(picture: np.ndarray, box: QRectF) -> float:
    """Mean level at the centre of a box."""
    x, y = round(box.center().x()), round(box.center().y())
    return float(picture[y - 3 : y + 4, x - 3 : x + 4].mean())


def inside(picture: np.ndarray, box: QRectF) -> np.ndarray:
    return picture[round(box.top()) : round(box.bottom()), round(box.left()) : round(box.right())]


def show(scene: Any, trial: ScheduledTrial, kind: str, seconds: float = 0.0) -> np.ndarray:
    phase = next(phase for phase in trial.phases if phase.kind == kind)
    return render(lambda painter: scene.draw(painter, trial, phase, seconds), scene)


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.11])
def test_targets_have_the_luminance_of_their_sinusoids(qapp, seconds):
    protocol = load_protocol("ssvep")
    scene = make_scene(protocol)
    picture = show(scene, make_schedule(protocol, 0)[0], "stimulation", seconds)
    for spec in protocol.classes:
        expected = 127.5 * (1 + np.sin(2 * np.pi * spec.frequency * seconds))
        assert level(picture, scene.targets()[spec.name]) == pytest.approx(expected, abs=2.5)


def test_lee2019_targets_are_where_the_paper_has_them(qapp):
    scene = FlickerScene(load_protocol("ssvep"))
    scene.resize(SIZE, 1.0)
    centres = {name: box.center() for name, box in scene.targets().items()}
    assert centres["12.0"].y() < centres["8.57"].y() < centres["5.45"].y()
    assert centres["8.57"].x() < centres["12.0"].x() < centres["6.67"].x()


def test_only_the_cued_target_is_framed(qapp):
    protocol = load_protocol("ssvep")
    scene = make_scene(protocol)
    trial = make_schedule(protocol, 0)[0]
    picture = show(scene, trial, "cue")
    brightness = {name: inside(picture, box).mean() for name, box in scene.targets().items()}
    assert max(brightness, key=brightness.get) == trial.target
    others = [value for name, value in brightness.items() if name != trial.target]
    assert brightness[trial.target] > 3 * max(others)


def test_target_without_frequency_stands_still_at_the_centre(qapp):
    protocol = load_protocol("ssvep-exo")
    scene = make_scene(protocol)
    trial = make_schedule(protocol, 0)[0]
    box = QRectF(SIZE.width() / 2 - 40, SIZE.height() / 2 - 40, 80, 80)
    early, late = (show(scene, trial, "stimulation", seconds) for seconds in (0.0, 0.05))
    assert inside(early, box).max() > 100
    np.testing.assert_array_equal(inside(early, box), inside(late, box))
    assert (early != late).any()


@pytest.mark.parametrize("n_targets", [1, 2, 3, 4, 5, 9, 12, 40, 100])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1024, 768), (1080, 1920)])
def test_any_number_of_targets_fits_without_overlap(n_targets, width, height):
    frequencies = (*(8.0 + 0.1 * number for number in range(n_targets)), None)
    centres, size = place_targets(frequencies, width, height)
    assert len(centres) == n_targets + 1
    points = np.array(centres)
    assert (points - size / 2 >= 0).all()
    assert (points + size / 2 <= [width, height]).all()
    apart = np.abs(points[:, np.newaxis] - points[np.newaxis]).max(axis=-1)
    assert apart[~np.eye(len(points), dtype=bool)].min() > size


@pytest.mark.parametrize(("target", "side"), [("left_hand", 0), ("right_hand", 1)])
def test_arrow_points_to_the_side_of_the_hand(qapp, target, side):
    protocol = load_protocol("mi")
    scene = make_scene(protocol)
    trial = next(one for one in make_schedule(protocol, 0) if one.target == target)
    middle = inside(show(scene, trial, "imagery"), QRectF(0, 150, SIZE.width(), 240))
    left, right = np.split(middle.astype(float), 2, axis=1)
    brighter = np.argmax([left.sum(), right.sum()])
    assert brighter == side
    # the head of the arrow is further out than its shaft, and higher
    column = np.count_nonzero(middle > 100, axis=0)
    arrow = np.flatnonzero(column)
    head = np.argmax(column)
    centre = SIZE.width() / 2
    assert abs(head - centre) > 0.5 * np.abs(arrow - centre).max()


@pytest.mark.parametrize("name", ["ssvep", "ssvep-exo", "mi", "erp"])
def test_rest_is_dark_but_for_a_word_that_can_be_read(qapp, name):
    protocol = load_protocol(name)
    scene = make_scene(protocol)
    trial = make_schedule(protocol, 0)[0]
    rest = show(scene, trial, "rest").astype(int)
    assert rest.mean() < 12
    if name == "erp":
        # the text to copy stays in sight above
        rest = rest[round(max(box.bottom() for box in scene.cells().values())) :]
    word = np.argwhere(rest > 200)
    assert len(word) > 50
    # one word, that covers no target
    (top, left), (bottom, right) = word.min(axis=0), word.max(axis=0)
    assert bottom - top < 8 * scene.unit
    assert right - left < 20 * scene.unit


@pytest.mark.parametrize("target", ["left_hand", "right_hand"])
def test_bar_of_the_feedback_points_to_the_class_that_was_chosen(qapp, target):
    protocol = load_protocol("mi")
    scene = make_scene(protocol)
    trial = next(one for one in make_schedule(protocol, 0) if one.target == target)
    picture = render(
        lambda painter: scene.draw_feedback(painter, trial, "right_hand", theme.GOOD), scene
    )
    left, right = np.split(picture[200:340] > 145, 2, axis=1)
    assert left.sum() == 0
    assert right.sum() > 1000


def bar_of(scene, trial, probabilities, seconds):
    """Number of white pixels to the left and to the right of the cross, after so many seconds."""
    imagery = next(phase for phase in trial.phases if phase.kind == "imagery")

    def play(painter):
        for frame in range(round(60 * seconds)):
            painter.fillRect(scene.area, theme.BACKGROUND)
            scene.follow(probabilities, imagery, frame / 60)
            scene.draw(painter, trial, imagery, frame / 60)

    picture = render(play, scene)
    cross = round(5 * scene.unit)
    centre = round(SIZE.width() / 2)
    rows = picture[round(SIZE.height() / 2) - 3 : round(SIZE.height() / 2) + 4] > 220
    return int(rows[:, : centre - cross].sum()), int(rows[:, centre + cross :].sum())


@pytest.mark.parametrize("target", ["left_hand", "right_hand"])
def test_bar_grows_to_the_side_that_is_probable_so_far(qapp, target):
    protocol = load_protocol("mi")
    scene = make_scene(protocol)
    trial = next(one for one in make_schedule(protocol, 0) if one.target == target)
    sure = {"left_hand": 0.1, "right_hand": 0.9}
    early, later = (bar_of(scene, trial, sure, seconds) for seconds in (0.5, 2.0))
    assert early[0] == later[0] == 0
    assert 0 < early[1] < later[1]
    scene.follow({}, trial.phases[0], 0.0)
    show(scene, trial, "fixation")
    unsure = bar_of(scene, trial, {"left_hand": 0.6, "right_hand": 0.4}, 2.0)
    assert unsure[1] == 0
    assert 0 < unsure[0] < later[1]


def test_without_a_decoder_there_is_no_bar_and_the_arrow_is_bright(qapp):
    protocol = load_protocol("mi")
    scene = make_scene(protocol)
    trial = make_schedule(protocol, 0)[0]
    bright = show(scene, trial, "imagery")
    assert bar_of(scene, trial, {}, 0.1) == (0, 0)
    scene.follow({"left_hand": 0.5, "right_hand": 0.5}, trial.phases[1], 0.0)
    assert show(scene, trial, "imagery").astype(int).sum() < bright.astype(int).sum()


def test_class_that_is_told_in_words_has_no_bar(qapp):
    fields = load_protocol("mi").model_dump()
    fields["classes"] = [{"name": "right_hand"}, {"name": "counting"}]
    protocol = Protocol.model_validate(fields)
    trial = make_schedule(protocol, 0)[0]
    scene = make_scene(protocol)
    assert bar_of(scene, trial, {"right_hand": 0.1, "counting": 0.9}, 1.0) == (0, 0)


def test_feedback_on_a_wrong_choice_still_shows_where_the_cue_was(qapp):
    protocol = load_protocol("ssvep")
    scene, trial = make_scene(protocol), make_schedule(protocol, 0)[0]
    other = next(name for name in protocol.class_names if name != trial.target)
    picture = render(lambda painter: scene.draw_feedback(painter, trial, other, theme.BAD), scene)
    below = {name: box.translated(0, box.height()) for name, box in scene.targets().items()}
    pointed = {name for name, box in below.items() if inside(picture, box)[:20].max() > 100}
    assert pointed == {trial.target}


def test_exactly_the_symbols_of_a_flash_light_up(qapp):
    protocol = load_protocol("erp")
    scene = make_scene(protocol)
    assert isinstance(scene, SpellerScene)
    trial = make_schedule(protocol, 0)[0]
    flash = next(phase for phase in trial.phases if phase.kind == "flash")
    picture = show(scene, trial, "flash")
    lit = {name for name, box in scene.cells().items() if inside(picture, box).max() > 200}
    assert lit == set(flash.lit)
    between = show(scene, trial, "between")
    assert all(inside(between, box).max() < 120 for box in scene.cells().values())


def test_cue_marks_the_symbol_to_attend_to(qapp):
    protocol = load_protocol("erp")
    scene = make_scene(protocol)
    trial = make_schedule(protocol, 0)[4]
    picture = show(scene, trial, "cue")
    brightness = {name: inside(picture, box).mean() for name, box in scene.cells().items()}
    assert max(brightness, key=brightness.get) == trial.target


def test_what_was_spelled_appears_below_the_text(qapp):
    protocol = load_protocol("erp")
    scene = make_scene(protocol)
    trials = make_schedule(protocol, 0)
    before = show(scene, trials[2], "cue")
    scene.choose(trials[0], "N")
    scene.choose(trials[1], "E")
    after = show(scene, trials[2], "cue")
    changed = np.flatnonzero((before != after).any(axis=1))
    first_row = min(box.top() for box in scene.cells().values())
    assert len(changed) > 0
    assert changed.max() < first_row


def test_text_is_begun_anew_when_a_session_is_longer(qapp):
    protocol = load_protocol("erp")
    scene = make_scene(protocol)
    trial = make_schedule(protocol, 0)[1]
    n_symbols = len(protocol.speller.text)
    later = ScheduledTrial(trial.number + n_symbols, trial.target, trial.phases)
    np.testing.assert_array_equal(show(scene, trial, "cue"), show(scene, later, "cue"))


@pytest.mark.parametrize("screen", [FLICKER_WARNING, STOP_QUESTION])
def test_screen_has_its_words_in_the_middle_and_its_keys_below(qapp, screen):
    picture = render(lambda painter: draw_message(painter, SIZE, screen))
    assert picture[100:400].max() > 200
    assert picture[460:530].max() > 100
    # nothing runs out of the display
    assert picture[:, :20].max() == picture[:, -20:].max() == 0


def test_protocol_for_recordings_only_has_no_scene():
    protocol = load_protocol("ssvep").model_copy(update={"flicker": None})
    with pytest.raises(InputError, match=r"\[flicker\]"):
        make_scene(protocol)


@pytest.mark.parametrize(
    ("name", "kind", "white"),
    [
        ("ssvep", "cue", False),
        ("ssvep", "stimulation", True),
        ("mi", "fixation", False),
        ("mi", "imagery", True),
        ("mi", "rest", False),
    ],
)
def test_photodiode_patch_is_white_while_the_stimulus_is_on(
    qapp, open_window, short_protocol, name, kind, white
):
    from sjepa_apps.stimulus.frames import TrialPlayer

    protocol = short_protocol(name)
    window, _, _ = open_window(protocol, photodiode=True)
    trial = ScheduledTrial(0, protocol.class_names[0], (Phase(kind, 1.0),))
    window._player = TrialPlayer(trial, (60,), 60.0)
    window._view = window._draw_trial
    picture = render(lambda painter: window.paint(painter, SIZE, 1.0))
    assert (picture[-10:, :10].min() == 255) == white


def test_freely_spelled_text_stands_above_the_matrix(qapp):
    protocol = load_protocol("erp")
    scene = make_scene(protocol)
    trial = FreeTrials(protocol, 0, 1)[0]
    scene.set_text("", {})
    before = show(scene, trial, "cue")
    scene.set_text("HELL", {"1": "HELLO", "9": "undo"})
    after = show(scene, trial, "cue")
    changed = np.flatnonzero((before != after).any(axis=1))
    first_row = min(box.top() for box in scene.cells().values())
    assert len(changed) > 0
    assert changed.max() < first_row
