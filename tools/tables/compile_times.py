"""What compiling costs: the first call cold, with numba's cache, and warm.

    python -m tools.tables.compile_times [NAME ...] [--write docs/results.md]

A name is of a solver; or "fit:" and the shape of a problem for fit_logistic,
sparse with a number of entries a row; or "fit_many". Every solver solves
`simulated` at 2000 x 100, l2 = 0.2, to a tolerance of 1e-8. Each is a process
of its own: once with an empty cache of compiled code, once with what that
left. The import of the solver's file is not counted. With
--write, what stands between ``<!-- compile: start -->`` and
``<!-- compile: end -->`` is replaced.
"""
import json
import os
import subprocess
import sys
import tempfile

from benchmark_utils.report.summary import seconds
from tools import ROOT
from tools.tables.markdown import parser, show_or_write

SOLVERS = (
    "auto-newton", "raw-newton", "loop-fused-newton",
    "proximal-gradient[accelerated=True,compiled=True,step=fixed]",
    "scipy[method=Newton-CG]",
)
FITS = (
    "fit:10x2", "fit:200x10", "fit:2000x100", "fit:200x5000", "fit:1000x1000",
    "fit:20000x500", "fit:5000x2000,10", "fit_many",
)
FIT = """
import json, sys, time
import numpy as np
from scipy import sparse
from benchmark_utils.fenchel import fit_logistic, fit_many, pack_problems
rng = np.random.default_rng(0)
name = {name!r}
if name == "fit_many":
    Xs = list(rng.standard_normal((1000, 10, 2)))
    batch = pack_problems(Xs, [np.tile([1.0, -1.0], 5)] * 1000)
    call = lambda: fit_many(batch)
else:
    shape, _, entries = name.removeprefix("fit:").partition(",")
    n, p = map(int, shape.split("x"))
    if entries:
        m = n * int(entries)
        X = sparse.csr_matrix(
            (rng.standard_normal(m), rng.integers(p, size=m, dtype=np.int32),
             np.arange(0, m + 1, int(entries), dtype=np.int32)), (n, p)
        )
    else:
        X = rng.standard_normal((n, p))
    margins = X @ rng.standard_normal(p) + rng.logistic(size=n)
    y = np.where(margins > 0, 1.0, -1.0)
    call = lambda: fit_logistic(X, y)
times = []
for _ in range(6):
    started = time.perf_counter()
    call()
    times.append(time.perf_counter() - started)
print(json.dumps([times[0], min(times[1:])]))
"""
CALL = """
import json, sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from benchmark_utils.wiring.benchopt_private import attach, start_solver
from harness import dataset, objective, set_problem, solver
problem = objective(l2=0.2)
set_problem(problem, dataset("simulated", n_samples=2000, n_features=100))
one = solver({name!r})
attach(problem, "simulated", one)
start_solver(one, problem)
stop_val = 1e-8 if one.sampling_strategy == "tolerance" else 30
times = []
for _ in range(6):
    started = time.perf_counter()
    one.run(stop_val)
    times.append(time.perf_counter() - started)
print(json.dumps([times[0], min(times[1:])]))
"""


def measure(name):
    """Seconds of the first call cold, of the first with a cache, and warm."""
    code = (FIT if name.startswith("fit") else CALL).format(
        root=str(ROOT), tests=str(ROOT / "tests"), name=name
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        runs = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, check=True,
                capture_output=True, text=True, cwd=ROOT,
            )
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    (cold, _), (cached, warm) = runs
    return cold, cached, warm


def table(names):
    """As Markdown."""
    lines = [
        "| solver or fit | first call, nothing compiled "
        "| first call, numba's cache | warm |",
        "|---|---|---|---|",
    ]
    for name in names:
        cold, cached, warm = measure(name)
        times = " | ".join(map(seconds, (cold, cached, warm)))
        lines.append(f"| `{name}` | {times} |")
    return "\n".join(lines)


def main():
    command = parser(__doc__)
    command.add_argument("solver", nargs="*", default=SOLVERS + FITS)
    arguments = command.parse_args()
    show_or_write(arguments.write, table(arguments.solver), "compile")


if __name__ == "__main__":
    main()
