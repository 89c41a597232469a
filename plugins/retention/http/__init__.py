"""HTTP client shared by all sources: pinned host, complete-body check, bounded retries."""
