"""Airflow tasks of the DAGs: read Airflow's connections and call ``retention``."""
