"""One machine: the database, the demo company and Airflow, for `make run` and `make up`."""
