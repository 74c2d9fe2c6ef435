"""The order of the runs: solvers take turns, repetition by repetition.

benchopt finishes all repetitions of a solver before it starts the next one.
On a machine that changes its speed for minutes at a time the median of one
solver may then be of a fast phase and that of another of a slow one (1.7 apart
on one machine). Here every solver has its first repetition on a problem, then
its second.
"""
from itertools import islice

from benchmark_utils.wiring.benchopt_private import (
    all_runs,
    get_solver_kwargs,
    instances,
)


def generate_run_kwargs(
    benchmark, solvers=None, forced_solvers=None, datasets=None,
    objectives=None, terminal=None, **common,
):
    """benchopt's runs, a dict of arguments each, in that order.

    Parameters
    ----------
    benchmark : benchopt.benchmark.Benchmark
    solvers, datasets, objectives : list of (class, parameters)
    forced_solvers : list of str
    terminal : benchopt.utils.terminal_output.TerminalOutput
    common : dict
        What is the same for all runs.
    """
    count = sum(installed for _, installed in instances(*solvers))
    problems = all_runs(
        benchmark, solvers, forced_solvers, datasets, objectives, terminal
    )
    # no look at the next problem: benchopt prints its name then
    while turns := list(islice(problems, count)):
        waiting = [
            (k, turn["solver"], get_solver_kwargs(
                benchmark=benchmark, **common, **turn
            ))
            for k, turn in enumerate(turns)
        ]
        while waiting:
            first, waiting = waiting, []
            for k, solver, repetitions in first:
                # a solver that is skipped says so under this name
                terminal.set(solver=solver, i_solver=k)
                run = next(repetitions, None)
                if run is not None:
                    yield run
                    waiting.append((k, solver, repetitions))
