"""The live window: signals, scalp, decoder and health of a session, for its operator.

The engine runs in a process of its own (:mod:`sjepa_apps.live.engine.process`), so that nothing
that the window paints delays a decision, and a crash of the one leaves the other standing.
"""
