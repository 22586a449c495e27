"""Recordings and labelled trials from files, MOABB's data sets and the shipped sample."""
