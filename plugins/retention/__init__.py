"""Retention Warehouse: all code behind the DAGs, importable without Airflow."""
