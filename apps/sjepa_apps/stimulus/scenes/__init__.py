"""What the stimulus window shows: a scene for each paradigm."""

from sjepa_apps.stimulus.scenes.base import Scene
from sjepa_apps.stimulus.scenes.flicker import FlickerScene
from sjepa_apps.stimulus.scenes.imagery import ImageryScene
from sjepa_apps.stimulus.scenes.speller import SpellerScene
from sjepa_online.errors import InputError
from sjepa_online.protocol import Flicker, Imagery, Protocol, Speller

__all__ = ["FlickerScene", "ImageryScene", "Scene", "SpellerScene", "make_scene"]


def make_scene(protocol: Protocol) -> Scene:
    """Make the scene of a protocol.

    Raises
    ------
    InputError
        The protocol does not say what a session shows.
    """
    match protocol.presentation:
        case Flicker():
            return FlickerScene(protocol)
        case Imagery():
            return ImageryScene(protocol)
        case Speller() as speller:
            return SpellerScene(speller)
        case None:
            raise InputError(
                "This protocol does not say what a session shows",
                value=protocol.name,
                remedy="Add a section [flicker], [imagery] or [speller], as in the shipped "
                "protocols.",
            )
