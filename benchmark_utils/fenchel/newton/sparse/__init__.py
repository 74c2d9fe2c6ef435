"""CSR data."""
