"""What holds after `make solvers` only; `make test-solvers` runs it.

Not named test_*, for without those libraries there is nothing to check.
"""
import os
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from harness import SOLVERS, objective, run_to_the_end
from problems import LAYOUTS, TALL

# Why these may be missing
EXCEPT = {
    "adelie": "needs NumPy 1",
    "cuml": "needs an NVIDIA GPU",
    "lightning": "has no wheel, and needs old build tools",
}


def test_every_solver_is_installed():
    missing = {
        name for name, cls in SOLVERS.items()
        if name not in EXCEPT and not cls.is_installed()
    }
    assert not missing, "make solvers; apt-get install liblinear-tools"


def test_no_library_changes_where_libraries_are_found():
    """R does: a Python that is started later would load the system's."""
    code = (
        "import os; before = os.environ.get('LD_LIBRARY_PATH'); "
        "import harness; assert harness.SOLVERS; "
        "assert os.environ.get('LD_LIBRARY_PATH') == before"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("layout, dtype", [
    ("C", np.float32), ("F", np.float64), ("csr", np.float64),
    ("memory map", np.float32),
])
@pytest.mark.parametrize("rows", [1, 7, 60, 100])
def test_dask_sums_over_chunks(rows, layout, dtype, tmp_path):
    X, y = TALL
    X = X.astype(dtype)
    if layout == "memory map":
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
    else:
        X = LAYOUTS[layout](X)
    bytes_of_a_row = X.data.nbytes / len(y)
    one = SOLVERS["dask-lbfgs"].get_instance(
        chunk_mb=(rows + 0.5) * bytes_of_a_row / 2**20
    )
    run = run_to_the_end(
        one, objective(l2=1.0, fit_intercept=True), dict(X=X, y=y)
    )
    assert len(one.chunks) == -(-len(y) // rows)
    assert run.points[-1]["relative_gap"] <= 1e-10


def test_dask_refuses_empty_chunks():
    X, y = TALL
    one = SOLVERS["dask-lbfgs"].get_instance(chunk_mb=0)
    run = run_to_the_end(one, objective(l2=1.0), dict(X=X, y=y))
    assert run.skipped == "chunk_mb=0 must be above zero."
