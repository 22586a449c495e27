"""``python -m sjepa_apps`` is the command ``sjepa-online``."""

from sjepa_apps.cli import main

main()
