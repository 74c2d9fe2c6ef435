"""Newton's method and L-BFGS, for smooth penalties."""
