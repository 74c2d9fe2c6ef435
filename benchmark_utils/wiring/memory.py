"""How much memory a run takes beyond what is there before."""
import ctypes
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmark_utils.problem.batches import ManyProblems

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def _resident(name):
    """VmRSS or VmHWM (its peak) of this process, in bytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"{_STATUS} has no {name}")


def peak_memory(run):
    """Bytes by which the resident memory rises at most while `run()` runs.

    What the C library keeps of freed memory is handed back first, and the
    kernel's peak reset, so that it is this run's own. Only Linux tells: NaN
    elsewhere.
    """
    if not sys.platform.startswith("linux"):
        run()
        return float("nan")
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    # proc(5): 5 resets the peak to what is resident now
    _CLEAR.write_text("5")
    before = _resident("VmRSS")
    run()
    return float(max(_resident("VmHWM") - before, 0))


def bytes_of(X):
    """The memory of a design: an array, a sparse matrix, a `ManyProblems`."""
    if sparse.issparse(X):
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    if isinstance(X, ManyProblems):
        return sum(np.asarray(design).nbytes for design in X.designs)
    return X.nbytes
