"""The Postgres below the warehouse: an embedded server, and the scripts that keep it up to date."""
