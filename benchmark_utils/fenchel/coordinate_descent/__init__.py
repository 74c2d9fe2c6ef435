"""One coordinate at a time, in the primal or in the dual."""
