"""Compile all kernels now, so that no fit has to wait.

    python -m fenchel.compile

They are kept on disk, in a folder of these sources, the version of numba and
the CPU; what is there already is only loaded.
"""
import sys
import time

import numpy as np
from scipy import sparse

from .compilation import cache_folder, silence
from .fit import fit_logistic, fit_many
from .newton.small.batch import pack_problems

_BAR = 24


def _dense(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p), dtype=np.float32).astype(np.float64)
    return X, np.where(X[:, 0] + rng.standard_normal(n) > 0, 1.0, -1.0)


def _thin(n, p, per_row):
    """Return a sparse problem."""
    rng = np.random.default_rng(0)
    columns = rng.integers(p, size=n * per_row, dtype=np.int32)
    starts = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
    X = sparse.csr_matrix(
        (rng.standard_normal(n * per_row), columns, starts), (n, p)
    )
    return X, np.where(rng.random(n) < 0.5, 1.0, -1.0)


def _fits(*shape, make=_dense, **options):
    """Return what fits a problem of a shape, without an intercept and with."""

    def fit():
        X, y = make(*shape)
        for intercept in (False, True):
            fit_logistic(
                X, y, fit_intercept=intercept, tol=1e-6, **options
            )

    return fit


def _many(**options):
    """Return what fits a few problems in one call."""
    problems = [_dense(10, 2, seed) for seed in range(4)]
    batch = pack_problems(*zip(*problems, strict=True))
    return lambda: fit_many(batch, **options)


#: What is compiled, by a problem of each kind
KINDS = {
    "two columns": _fits(10, 2),
    "few columns": _fits(200, 10),
    "many small problems": _many(),
    "few columns, many samples": _fits(30_000, 20),
    "few samples": _fits(8, 30),
    "many columns": _fits(1500, 110),
    "many columns, half precision": _fits(5500, 110),
    "many columns, no copy": _fits(600, 110, float32_copy=False),
    "more columns than samples": _fits(150, 600),
    "wide, half precision": _fits(200, 3000),
    "sparse": _fits(2000, 500, 6, make=_thin),
    "sparse, more columns than samples": _fits(300, 2000, 6, make=_thin),
    "L1": _fits(200, 50, l1=1.0),
    "L1, sparse": _fits(2000, 500, 6, make=_thin, l1=2.0),
    "L1, many small problems": _many(l1=0.1),
    "MCP": _fits(200, 50, l1=1.0, penalty="mcp"),
    "MCP, sparse": _fits(2000, 500, 6, make=_thin, l1=2.0, penalty="mcp"),
    "SCAD": _fits(200, 50, l1=1.0, penalty="scad"),
    "SCAD, sparse": _fits(2000, 500, 6, make=_thin, l1=2.0, penalty="scad"),
}


def compile_all(report=lambda done, name, seconds: None):
    """Compile the kernels of every kind of problem, or load them.

    `report` is called before each with how many are done and its name, and
    after it with its seconds.
    """
    silence()
    for done, (name, fit) in enumerate(KINDS.items()):
        report(done, name, None)
        started = time.perf_counter()
        fit()
        report(done + 1, name, time.perf_counter() - started)


def _show(done, name, seconds):
    """Draw a bar on a terminal, print a line elsewhere."""
    if sys.stderr.isatty():
        full = _BAR * done // len(KINDS)
        bar = "#" * full + "." * (_BAR - full)
        print(
            f"\r[{bar}] {done} of {len(KINDS)}: {name:<36}", end="",
            file=sys.stderr, flush=True,
        )
    elif seconds is not None:
        print(
            f"{done:2} of {len(KINDS)}: {name}, {seconds:.1f} s", flush=True
        )


def main():
    started = time.perf_counter()
    compile_all(_show)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(
        f"Compiled or loaded in {time.perf_counter() - started:.0f} s: "
        f"{cache_folder() or 'kept nowhere, as no folder can be written'}"
    )


if __name__ == "__main__":
    main()
