"""Routing: who collects and delivers what, and when."""
