"""People and places of the five-level network."""
