"""The operator's page while recording: traces, electrodes, and what the participant sees."""
