"""Readouts of virtual channels behind the local encoder's first convolution.

A readout maps epochs to virtual channels, filters those with the first convolution of the local
encoder, and reads one aspect of the result with a convex classifier: the phase (ERP), the shape
against the classes' mean responses (ERP), power in bands and its spatial pattern (motor imagery),
or the power at the stimulus frequencies (SSVEP). The convolution is read before its GroupNorm,
which would remove the power; where only power is read, the gain of its kernels suffices. With a
kernel of a single 1 a readout is the Riemannian classifier that labs use today.

Covariances are linear in the channels' products, so a spatial filter that is applied to them gives
what filtering the channels first would give.
"""
