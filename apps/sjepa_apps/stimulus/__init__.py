"""The stimulus window: what a participant of a session sees, frame by frame.

:mod:`~sjepa_apps.stimulus.frames` plans and counts frames without Qt; scenes draw the paradigms;
:mod:`~sjepa_apps.stimulus.window` shows them.
"""
