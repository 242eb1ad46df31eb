"""Differentially private training: noisy updates, and what they guarantee."""
