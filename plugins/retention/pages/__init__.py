"""What a person reads on the command line: how it stands, what is at risk, one customer's story."""
