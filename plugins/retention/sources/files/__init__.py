"""Bring your own files: a folder of CSV, NDJSON or Parquet and a mapping that explains it."""
