"""Online brain-computer-interface decoding on Signal-JEPA."""
