"""The operator's pages: accounts and the catalogue."""
