"""Local HTTP servers that speak the vendors' own wire formats over the demo company."""
