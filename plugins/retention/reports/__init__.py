"""Reports of the command line: summary, status, alerts and one customer's timeline."""
