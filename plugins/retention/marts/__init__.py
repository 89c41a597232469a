"""The marts that readers get: which there are, their columns, and what they hold."""
