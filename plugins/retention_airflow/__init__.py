"""The tasks that the DAGs wire together: read Airflow's connections, call ``retention``."""
