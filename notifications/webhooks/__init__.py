"""Webhooks: what happens to a case is told to other programs, signed, in order, until they have taken it."""
