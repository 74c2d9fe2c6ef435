"""Vectors, Gram matrices, factors, sparse rows: no statistics in here."""
