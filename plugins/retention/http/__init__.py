"""One patient, suspicious HTTP client for every source: pinned hosts, whole bodies only."""
