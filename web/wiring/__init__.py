"""Wiring: settings, the application's parts, sign-in, files, errors, jobs and the processes that run them."""
