"""Files, tables, encodings, generators, downloads."""
