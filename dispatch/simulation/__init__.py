"""Simulation: drawn demand replayed under several rules of assignment. Pure."""
