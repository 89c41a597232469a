"""From a source's records to versions in raw: checked, kept once, all of a window or none of it."""
