"""Publishes: what readers see, how it gets there, and how it is taken back."""
