"""Dense data of many columns: L-BFGS, preconditioned."""
