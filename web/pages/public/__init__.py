"""Pages that need no login: signing in, registering, asking after a case by its query code."""
