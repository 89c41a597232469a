"""Publish marts to readers, roll back, and rebuild past publishes."""
