"""Core: working days, the legal clock, localised text, who acts, and what can go wrong. Pure."""
