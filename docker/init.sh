#!/usr/bin/env bash
# What must be true before any Airflow service starts; can run at every start.
set -euo pipefail

python docker/create_airflow_database.py
python -m local.airflow_metadata
retention migrate
airflow users create --role Admin --username admin --password "$AIRFLOW_ADMIN_PASSWORD" \
  --firstname Airflow --lastname Admin --email admin@localhost
