"""Forecast: durations, sampled paths, the promise, its risk and its calibration. Pure."""
