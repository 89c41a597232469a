"""Build all models for one day: dbt, the statistics, then dbt on the models that read them."""
