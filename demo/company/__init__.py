"""The demo company (docstring grows below)."""
