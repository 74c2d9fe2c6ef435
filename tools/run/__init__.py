"""Run the benchmark: watched, with its progress, solvers in turns."""
