# The image of every Airflow service: Python 3.11, the hash-pinned lock, this repository.
FROM python:3.11-slim-bookworm

RUN useradd --uid 50000 --create-home --shell /usr/sbin/nologin airflow \
    && install -d -o airflow -g root /opt/retention /opt/retention/.state /opt/airflow
WORKDIR /opt/retention

COPY requirements-compose.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-compose.lock

COPY --chown=airflow:root . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

USER airflow
ENV AIRFLOW_HOME=/opt/airflow PYTHONUNBUFFERED=1
CMD ["airflow", "version"]
