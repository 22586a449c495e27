"""The command ``sjepa-online``, also as ``python -m sjepa_apps``."""

from __future__ import annotations


def main() -> None:
    """Run the command line; Ctrl-C before it is even imported ends it as quietly as later."""
    try:
        from sjepa_apps.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
