"""The demo company: a simulation with a known truth, and servers that speak the vendors' formats."""
