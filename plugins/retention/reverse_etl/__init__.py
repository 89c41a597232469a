"""Send data from published marts to other systems: digests by e-mail and Slack, CRM values."""
