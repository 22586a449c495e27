"""The one liblsl of a process, and which streams it can see."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, Literal

from sjepa_online.errors import InputError, OperationError

Scope = Literal["machine", "link", "site"]

#: Folder of the configurations, one for each scope.
SCOPES = Path(__file__).with_name("scopes")
_CONFIGURATION = "LSLAPICFG"
#: Where liblsl looks for a configuration by itself.
_SEARCHED = ("lsl_api.cfg", "~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")
_logger = logging.getLogger(__name__)
_in_use = False


def configure(scope: Scope | None = None, *, default: Scope | None = None) -> Path | None:
    """Choose how far LSL looks for streams; must be called before LSL is first used.

    What is asked for here comes first, then the user's ``LSLAPICFG``, then ``default``,
    then liblsl's own search for a configuration. The choice holds for child processes too.

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
    wanted = SCOPES / f"{scope}.cfg"
    if current == str(wanted):
        return wanted
    if _in_use:
        raise OperationError(
            f"LSL is in use already with the configuration {current or 'of liblsl itself'}, "
            f"so it cannot change to the scope {scope}: choose the scope before the first "
            "stream is looked for or opened"
        )
    if current is not None:
        _logger.warning("The scope %s replaces %s=%s", scope, _CONFIGURATION, current)
    os.environ[_CONFIGURATION] = str(wanted)
    return wanted


def liblsl() -> Any:
    """Give pylsl, the binding through which this package uses liblsl.

    pylsl and mne-lsl each bundle a liblsl. mne-lsl is pointed to the one that pylsl loads,
    so that a process that uses both has one configuration and one clock.

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
    """Read the clock of LSL's timestamps on this machine (s)."""
    return float(liblsl().local_clock())


def _existing_configuration() -> Path | None:
    current = os.environ.get(_CONFIGURATION)
    if current is None:
        return None
    if not Path(current).is_file():
        raise InputError(
            f"{_CONFIGURATION} names LSL's configuration file",
            value=f"{current!r}, which does not exist",
            remedy=f"Correct {_CONFIGURATION} or unset it.",
        )
    return Path(current)


def _quieten() -> None:
    """Keep liblsl's log to fatal errors where no configuration says otherwise.

    What else it would write is told as events.
    """
    searched = (Path(path).expanduser() for path in _SEARCHED)
    if _CONFIGURATION in os.environ or any(path.is_file() for path in searched):
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
