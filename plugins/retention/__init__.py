"""Retention Warehouse: everything behind the DAGs, importable without Airflow."""
