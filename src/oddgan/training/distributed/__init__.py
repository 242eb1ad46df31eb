"""Training in several processes, which share the rows of each batch."""
