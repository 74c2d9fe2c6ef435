"""Solvers take turns, repetition by repetition."""
import pytest
from benchopt.benchmark import Benchmark
from benchopt.utils.terminal_output import TerminalOutput

from conftest import ROOT
from tools.run.taking_turns import generate_run_kwargs

DATA = ["simulated[n_samples=[10,20],n_features=2]"]
SOLVERS = ["raw-newton", "scipy[method=[L-BFGS-B,Newton-CG]]", "cuml"]
OBJECTIVES = ["Logistic regression[l1=[0.0,1.0],l2=1.0,fit_intercept=False]"]


@pytest.fixture
def runs(capsys):
    """What is run, in its order, with what was printed until then."""
    benchmark = Benchmark(ROOT)
    return [
        (
            run["meta"]["dataset_name"], run["meta"]["objective_name"],
            run["repetition"], run["meta"]["solver_name"],
            capsys.readouterr().out,
        )
        for run in generate_run_kwargs(
            benchmark, solvers=benchmark.check_solver_patterns(SOLVERS),
            forced_solvers=[],
            datasets=benchmark.check_dataset_patterns(DATA),
            objectives=benchmark.check_objective_filters(OBJECTIVES),
            terminal=TerminalOutput(2, True), n_repetitions=2, max_runs=5,
        )
    ]


def test_every_solver_has_its_first_repetition_before_the_second(runs):
    assert len(runs) == 4 * 2 * 3
    solvers = [
        "raw-newton", "scipy[method=L-BFGS-B]", "scipy[method=Newton-CG]"
    ]
    for first in range(0, len(runs), 6):
        problem = runs[first:first + 6]
        assert len({run[:2] for run in problem}) == 1
        assert [run[2:4] for run in problem] == [
            (repetition, solver)
            for repetition in (0, 1) for solver in solvers
        ]
    assert len({run[:2] for run in runs}) == 4


def test_a_problem_is_announced_when_it_begins(runs):
    for k, (_, objective, _, _, printed) in enumerate(runs):
        assert (objective in printed) == (k % 6 == 0)
