"""The profiles that ship with the project and the user's own: find, propose and save them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sjepa_online.amplifier.profile import AmplifierProfile, Fits
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write, is_file, user_path
from sjepa_online.protocol import parse_toml
from sjepa_online.resources import AMPLIFIERS, shipped_folder, user_folder

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")


@dataclass(frozen=True)
class Declaration:
    """The declaration of a stream or a file: names, units and types of its channels.

    Attributes
    ----------
    name : str
        Of the stream, or the path of the file; messages begin with it.
    labels, units, types : tuple of str, length n_channels
        Of each channel; empty text where it is not said.
    type, source_id, format : str
        Of a stream.
    sfreq : float
        Hz; 0 for an irregular stream.
    """

    name: str
    labels: tuple[str, ...]
    units: tuple[str, ...]
    types: tuple[str, ...]
    type: str = ""
    source_id: str = ""
    format: str = ""
    sfreq: float = 0.0

    @classmethod
    def of(
        cls,
        name: str,
        n_channels: int,
        labels: Sequence[str] = (),
        units: Sequence[str] = (),
        types: Sequence[str] = (),
        **more: Any,
    ) -> Declaration:
        """Make a declaration of lists that have an entry for each channel, or none at all.

        Parameters
        ----------
        name : str
            Of the stream or the file.
        n_channels : int
        labels, units, types : sequence of str
            One for each channel, or empty.
        **more
            Further attributes by name.

        Returns
        -------
        declaration : Declaration
        """
        unsaid = ("",) * n_channels
        return cls(
            name, tuple(labels) or unsaid, tuple(units) or unsaid, tuple(types) or unsaid, **more
        )

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.labels)

    @property
    def has_labels(self) -> bool:
        """Whether any channel has a label."""
        return any(self.labels)


def list_profiles() -> dict[str, Path]:
    """Return every profile; the user's own replace shipped ones of the same name.

    Returns
    -------
    profiles : dict of str to Path
        Files by name.
    """
    folders = (shipped_folder("calibration") / AMPLIFIERS, user_folder("calibration") / AMPLIFIERS)
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def load_profile(name_or_path: str | Path) -> AmplifierProfile:
    """Read a profile by its name or its path.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped profile or of the user's own, or path of a ``.toml`` file.

    Returns
    -------
    profile : AmplifierProfile

    Raises
    ------
    InputError
        There is no such profile (the message lists those that there are), or it is wrong.
    """
    path = user_path(name_or_path)
    if not is_file(path):
        profiles = list_profiles()
        if str(name_or_path) not in profiles:
            raise InputError(
                f"No amplifier profile of the name {str(name_or_path)!r}, and no such file",
                value=str(name_or_path),
                remedy=f"Choose one of {', '.join(profiles)}, or give the path of a .toml file.",
            )
        path = profiles[str(name_or_path)]
    profile = parse_toml(path, AmplifierProfile)
    return profile if profile.name else profile.model_copy(update={"name": path.stem})


def save_profile(profile: AmplifierProfile, name: str) -> Path:
    """Save a profile among the user's own, which are found by name.

    Parameters
    ----------
    profile : AmplifierProfile
    name : str

    Returns
    -------
    path : Path
        The file that was written.

    Raises
    ------
    InputError
        The name has other characters than letters, digits, points, dashes and blanks.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise InputError(
            "The name of a profile holds other characters than letters, digits and . _ -",
            value=repr(name),
            remedy="Choose another name.",
        )
    folder = user_folder("calibration") / AMPLIFIERS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    atomic_write(path, to_toml(profile.model_copy(update={"name": name})).encode())
    return path


def to_toml(profile: AmplifierProfile) -> str:
    """Write a profile as TOML.

    Parameters
    ----------
    profile : AmplifierProfile

    Returns
    -------
    text : str
        Without the fields that have their default.
    """
    fields = profile.model_dump(exclude_none=True, exclude_defaults=True)
    tables = {name: fields.pop(name) for name in list(fields) if isinstance(fields[name], dict)}
    lines = [f"{name} = {_value(value)}" for name, value in fields.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]"]
        lines += [f"{_value(str(key))} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    # strings, numbers and lists of them are written alike in JSON and TOML
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def fitting_profile(declaration: Declaration) -> str | None:
    """Return the name of the profile that fits a stream best.

    The one with the most that fits; the user's own before a shipped one.

    Parameters
    ----------
    declaration : Declaration

    Returns
    -------
    name : str or None
        None where no profile fits.
    """
    best: tuple[int, int, str] | None = None
    shipped = shipped_folder("calibration") / AMPLIFIERS
    for name, path in list_profiles().items():
        fits = _fits(path)
        score = 0 if fits is None else _score(fits, declaration)
        if score and (best is None or (score, path.parent != shipped) > best[:2]):
            best = (score, int(path.parent != shipped), name)
    return None if best is None else best[2]


def advise_preferring(declarations: Sequence[Declaration]) -> str:
    """Name the profile of a device that sends several streams, where it prefers one of them.

    Parameters
    ----------
    declarations : sequence of Declaration
        Of streams that may be meant.

    Returns
    -------
    advice : str
        A sentence and a blank; empty where there is no such profile.
    """
    names = {fitting_profile(one) for one in declarations}
    name = names.pop()
    prefers = None if names or name is None else load_profile(name).prefers
    if prefers is None or [one.name for one in declarations].count(prefers) != 1:
        return ""
    return f"Say --amplifier {name}, which takes {prefers}. "


def _fits(path: Path) -> Fits | None:
    return _read_fits(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read_fits(path: Path, _: int) -> Fits | None:
    try:
        return load_profile(path).fits
    except InputError:
        # one that is wrong is told when it is chosen
        return None


def _score(fits: Fits, declaration: Declaration) -> int:
    """Count the patterns of a profile that fit; 0 where one does not."""
    labels = ",".join(declaration.labels) if declaration.has_labels else "none"
    texts = [
        (fits.name, declaration.name),
        (fits.type, declaration.type),
        (fits.source_id, declaration.source_id),
        (fits.format, declaration.format),
        (fits.labels, labels),
    ]
    asked = [(pattern, text) for pattern, text in texts if pattern]
    if any(_matches(pattern, text) is None for pattern, text in asked):
        return 0
    numbers: list[tuple[Sequence[float], float]] = [
        (fits.n_channels, declaration.n_channels),
        (fits.sfreq, declaration.sfreq),
    ]
    given = [(values, value) for values, value in numbers if values]
    if any(value not in values for values, value in given):
        return 0
    return len(asked) + len(given)


def _matches(pattern: str, text: str) -> re.Match[str] | None:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch(text)
