"""Airflow's own role and database beside the warehouse's; the password follows `.env`."""

import os

import psycopg
from psycopg import sql

with psycopg.connect(os.environ["AIRFLOW_DB_ADMIN"], autocommit=True) as conn:
    password = sql.Literal(os.environ["AIRFLOW_DB_PASSWORD"])
    if not conn.execute("select 1 from pg_roles where rolname = 'airflow'").fetchone():
        conn.execute("create role airflow login")
    conn.execute(sql.SQL("alter role airflow password {}").format(password))
    if not conn.execute("select 1 from pg_database where datname = 'airflow'").fetchone():
        conn.execute("create database airflow owner airflow")
    conn.execute("revoke all on database airflow from public")
