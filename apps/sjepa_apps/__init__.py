"""The programs on top of sjepa_online: the command line and the windows."""
