"""Rows as detectors take them, checked: their types, shapes and values, and the device they are computed on."""
