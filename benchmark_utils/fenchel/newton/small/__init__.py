"""Few columns: everything in one buffer that stays in the cache."""
