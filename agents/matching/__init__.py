"""Matching: which agent fits which need, with the proof that no choice is better. Pure."""
