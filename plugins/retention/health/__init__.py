"""Check another definition of the health score, suggest weights and evaluate alert rules."""
