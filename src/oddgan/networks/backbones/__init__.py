"""Families of networks, from which detectors build encoders, decoders and critics."""
