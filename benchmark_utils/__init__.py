"""What the objective, the datasets, the solvers and the plots share."""
from benchmark_utils.sources import use_own_numba_cache

use_own_numba_cache()
