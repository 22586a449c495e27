"""The one liblsl of a process, and which streams it can see."""

from __future__ import annotations

import configparser
import io
import os
import sys
import zlib
from pathlib import Path
from typing import Any, Literal

import platformdirs

from sjepa_online.errors import InputError, OperationError
from sjepa_online.files import atomic_write

Scope = Literal["machine", "link", "site"]

#: Folder of the configurations, one for each scope.
SCOPES = Path(__file__).with_name("scopes")
_CONFIGURATION = "LSLAPICFG"
_in_use = False
#: Configurations that were written by this process, by their scope.
_made: dict[str, str] = {}
#: Where liblsl looks for a configuration that nothing names.
_USUAL_PLACES = (
    Path("lsl_api.cfg"),
    Path.home() / "lsl_api" / "lsl_api.cfg",
    Path("/etc/lsl_api/lsl_api.cfg"),
)


def configure(scope: Scope | None = None, *, default: Scope | None = None) -> Path | None:
    """Choose how far LSL looks for streams; must be called before LSL is first used.

    What is asked for here comes first, then the user's ``LSLAPICFG``, then ``default``,
    then liblsl's own search for a configuration. A scope changes the reach only: the session id
    and everything else of the user's own configuration stay. The choice holds for child processes
    too.

    Parameters
    ----------
    scope : {"machine", "link", "site"}, optional
        What the user asked for: streams of this machine only (loopback), of the local
        network segment, or of the site.
    default : {"machine", "link", "site"}, optional
        What holds when neither the user nor ``LSLAPICFG`` says anything.

    Returns
    -------
    path : Path or None
        The configuration in force; None when liblsl looks for one itself.

    Raises
    ------
    InputError
        ``LSLAPICFG`` names a file that does not exist: liblsl would ignore that silently.
    OperationError
        LSL is in use already with another configuration; liblsl reads it only once.
    """
    current = os.environ.get(_CONFIGURATION)
    if scope is None:
        scope = default if current is None else None
    if scope is None:
        return _existing_configuration()
    if current is not None and current in (str(SCOPES / f"{scope}.cfg"), _made.get(scope)):
        return Path(current)
    wanted = _with_scope(_users_configuration(), scope)
    if current == str(wanted):
        return wanted
    if _in_use:
        raise OperationError(
            f"LSL is in use already with the configuration {current or 'of liblsl itself'}, "
            f"so it cannot change to the scope {scope}: choose the scope before the first "
            "stream is looked for or opened"
        )
    _made[scope] = str(wanted)
    os.environ[_CONFIGURATION] = str(wanted)
    return wanted


def liblsl() -> Any:
    """Give pylsl, the binding through which this package uses liblsl.

    pylsl and mne-lsl each bundle a liblsl. mne-lsl is pointed to the one that pylsl loads,
    so that a process that uses both has one configuration and one clock.

    Returns
    -------
    module

    Raises
    ------
    InputError
        ``LSLAPICFG`` names a file that does not exist.
    OperationError
        liblsl cannot be loaded, or mne-lsl has loaded another one.
    """
    global _in_use
    if not _in_use:
        _existing_configuration()
        _share_library()
        _quieten()
        _in_use = True
    import pylsl

    return pylsl


def local_clock() -> float:
    """Read the clock of LSL's timestamps on this machine (s).

    Returns
    -------
    float
        Seconds since a moment that depends on the machine.
    """
    return float(liblsl().local_clock())


def _users_configuration() -> Path | None:
    """Return the user's own configuration: the one that is named, or the one liblsl would find."""
    named = _existing_configuration()
    if named is not None:
        return None if named.parent == SCOPES else named
    return next((path for path in _USUAL_PLACES if path.is_file()), None)


def _with_scope(own: Path | None, scope: Scope) -> Path:
    """Return a configuration with this scope that keeps everything else of the user's own."""
    shipped = SCOPES / f"{scope}.cfg"
    if own is None:
        return shipped
    merged = configparser.ConfigParser(interpolation=None, strict=False)
    merged.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        merged.read([own, shipped], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InputError(
            "LSL's configuration cannot be read",
            value=f"{own}: {error}",
            remedy=f"Correct it, or unset {_CONFIGURATION}.",
        ) from error
    text = io.StringIO()
    merged.write(text)
    folder = Path(platformdirs.user_cache_dir("sjepa-online", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    name = zlib.crc32(text.getvalue().encode())
    path = folder / f"lsl-{scope}-{name:08x}.cfg"
    atomic_write(path, text.getvalue().encode())
    return path


def _existing_configuration() -> Path | None:
    current = os.environ.get(_CONFIGURATION)
    if current is None:
        return None
    if not Path(current).is_file():
        raise InputError(
            f"{_CONFIGURATION} names a configuration file of LSL that does not exist",
            value=current,
            remedy=f"Correct {_CONFIGURATION} or unset it.",
        )
    return Path(current)


def _quieten() -> None:
    """Keep liblsl's log to fatal errors where no configuration says otherwise.

    What else it would write is told as events.
    """
    if _CONFIGURATION in os.environ or any(path.is_file() for path in _USUAL_PLACES):
        return
    import pylsl

    # liblsl has this function from version 1.16.2 on
    set_content = getattr(pylsl.lib.lib, "lsl_set_config_content", None)
    if set_content is not None:
        set_content(b"[log]\nlevel = -3\n")


def _share_library() -> None:
    if "MNE_LSL_LIB" in os.environ:
        os.environ.setdefault("PYLSL_LIB", os.environ["MNE_LSL_LIB"])
    try:
        import pylsl
    except (RuntimeError, OSError) as error:
        raise OperationError(f"liblsl cannot be loaded: {error}") from error
    path = pylsl.lib.libpath
    os.environ["MNE_LSL_LIB"] = path
    other = sys.modules.get("mne_lsl.lsl.load_liblsl")
    if other is not None and other.lib._name != path:
        raise OperationError(
            f"mne-lsl has loaded another liblsl ({other.lib._name}) than pylsl ({path}): "
            "import mne_lsl after the first use of sjepa_online.stream"
        )
