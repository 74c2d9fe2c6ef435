"""CSR and CSC data."""
