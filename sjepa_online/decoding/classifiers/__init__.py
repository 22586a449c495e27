"""Classifiers of epochs: network, filter bank, Riemannian, CCA, and the choice among them."""
