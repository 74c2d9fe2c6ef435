"""What a result says: provenance, facts, times, profiles."""
