"""What compiling costs: the first call cold, with numba's cache, and warm.

    python -m tools.tables.compile_times [SOLVER ...] [--write docs/results.md]

Every solver solves `simulated` at 2000 x 100, l2 = 0.2, to a tolerance of
1e-8, in a process of its own: once with an empty cache of compiled code, once
with what that left. The import of the solver's file is not counted. With
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
    code = CALL.format(
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
        "| solver | first call, nothing compiled | first call, numba's cache "
        "| warm |",
        "|---|---|---|---|",
    ]
    for name in names:
        cold, cached, warm = measure(name)
        times = " | ".join(map(seconds, (cold, cached, warm)))
        lines.append(f"| `{name}` | {times} |")
    return "\n".join(lines)


def main():
    command = parser(__doc__)
    command.add_argument("solver", nargs="*", default=SOLVERS)
    arguments = command.parse_args()
    show_or_write(arguments.write, table(arguments.solver), "compile")


if __name__ == "__main__":
    main()
