from __future__ import annotations

from sjepa_apps.live.signals.channel_pages import ChannelPages

NAMES = tuple(f"E{number}" for number in range(20))


def test_pages_hold_the_chosen_channels_in_their_order() -> None:
    pages = ChannelPages(NAMES)
    assert pages.rows == tuple(range(20))
    pages.choose(["E9", "E1", "E3", "nothing"])
    assert pages.rows == (1, 3, 9)
    pages.choose([])
    pages.set_size(8)
    pages.turn(1)
    assert pages.rows == tuple(range(8, 16))
    pages.turn(1)
    pages.turn(1)
    assert pages.rows == (16, 17, 18, 19)
    assert pages.describe() == "17–20 of 20"
    pages.turn(-1)
    assert pages.describe() == "9–16 of 20"


def test_alone_the_pages_are_channels() -> None:
    pages = ChannelPages(NAMES)
    pages.alone = "E19"
    assert pages.rows == (19,)
    pages.turn(1)
    assert pages.rows == (0,)
    assert pages.describe() == "only E0"
