"""Run the database, the demo company and Airflow on one machine: `make run` and `make up`."""
