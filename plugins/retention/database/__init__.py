"""The embedded Postgres: where it lives, and how it is started and stopped."""
