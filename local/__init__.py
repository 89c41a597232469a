"""One machine: the embedded database, the demo company and Airflow, for `make run` and `make up`."""
