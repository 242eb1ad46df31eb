"""Hyperparameters: those of parts inside detectors, and their types."""
