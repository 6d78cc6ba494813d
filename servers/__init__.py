"""The embedded PostgreSQL and Valkey: start, stop, adopt; used by `make run` and by tests."""
