"""Serve the demo company over local HTTP APIs in the vendors' own formats."""
