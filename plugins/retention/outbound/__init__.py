"""What leaves the warehouse, from published marts only: digests for people, values for the CRM."""
