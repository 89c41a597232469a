"""The demo company: a simulation with a known truth, and servers in the vendors' formats."""
