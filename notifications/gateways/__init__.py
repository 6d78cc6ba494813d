"""Gateways: one file for each SMS provider, all with the same interface."""
