"""The stimulus window: what a participant of a session sees, frame by frame.

:mod:`~sjepa_apps.stimulus.frames` and :mod:`~sjepa_apps.stimulus.frames` plan and count frames
without Qt; scenes draw the paradigms; :mod:`~sjepa_apps.stimulus.window` shows them.
"""
