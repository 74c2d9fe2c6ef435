"""What a solver file would otherwise repeat."""
