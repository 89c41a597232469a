"""Usage events in bulk: files to Parquet by event date, one rollup in SQL, Arrow to Postgres."""
