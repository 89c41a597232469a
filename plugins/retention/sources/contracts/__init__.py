"""Contracts: the fields of vendor documents that the warehouse depends on."""
