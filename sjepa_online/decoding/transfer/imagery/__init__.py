"""A population of imagery: networks that other people trained, and the decoder around them."""
