"""Custody: who holds which papers now, everyone who held them before, and the proof of it."""
