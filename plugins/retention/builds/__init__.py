"""Builds of the models: one day, with dbt and the statistics between its two halves."""
