"""Copies of a generator's weights for each sample, which a search moves."""
