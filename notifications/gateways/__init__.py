"""Gateways: the ways out of the house, one file each, all of one shape."""
