"""The shell: HTTP, command line, settings, schedule, wiring."""
