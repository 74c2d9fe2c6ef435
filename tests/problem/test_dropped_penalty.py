"""A penalty that someone adds as one file: CONTRIBUTING's, end to end.

Ours is tried in a copy of the repository (tests/tools/test_contributing.py):
what it compiles for a file is kept in a cache whose key has the package's
files, and this file is in none of them.
"""
import re
import sys

import numpy as np
import pytest

import naive
from benchmark_utils.fenchel import penalties as files
from benchmark_utils.problem.penalties import adapt
from conftest import ROOT
from harness import objective, run_to_the_end, set_problem, solver
from problems import LAYOUTS, TALL, WIDE

FILE = "benchmark_utils/fenchel/penalties/log_sum.py"


@pytest.fixture(autouse=True)
def dropped(tmp_path, monkeypatch):
    """Put the file where penalties are looked for."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    pattern = rf"<!-- file: {FILE} -->\n```python\n(.*?)```"
    (code,) = re.findall(pattern, text, flags=re.DOTALL)
    (tmp_path / "log_sum.py").write_text(code)
    monkeypatch.setattr(
        files, "__path__", [*files.__path__, str(tmp_path)]
    )
    yield
    sys.modules.pop(f"{files.__name__}.log_sum", None)


def test_it_is_one_short_file():
    assert "log_sum" in files.names()
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert len(text.split(f"{FILE} -->")[1].split("```")[1].splitlines()) < 52


def test_its_methods_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    for _ in range(200):
        lmbd, eps = 10.0 ** rng.uniform(-2, 2, 2)
        player = files.load("log_sum").from_problem(lmbd, eps, 10)
        judge = adapt(player)
        x = lmbd * float(rng.standard_normal()) * 10.0 ** rng.uniform(-1, 1)
        step = 10.0 ** rng.uniform(-2, 2)
        best = naive.prox(player.value, x, step)
        costs = [
            naive.prox_cost(player.value, x, step, w)
            for w in (player.prox(x, step), best)
        ]
        assert costs[0] <= costs[1] + 1e-12 * abs(costs[1])
        for w in (0.0, x):
            expected = naive.distance(
                player.value, w, step, 1e-7 * (eps + abs(w))
            )
            (found,) = judge.distance(np.array([w]), np.array([step]))
            assert found == pytest.approx(
                expected, abs=1e-5 * (lmbd + step)
            )


@pytest.mark.parametrize("l2, fit_intercept", [(0.0, False), (0.3, True)])
@pytest.mark.parametrize("layout", ["C", "csr"])
@pytest.mark.parametrize("compiled", [False, True])
def test_it_is_solved_and_judged(compiled, layout, l2, fit_intercept):
    X, y = TALL
    run = run_to_the_end(
        solver(
            f"proximal-gradient[accelerated=True,compiled={compiled},"
            "step=fixed]"
        ),
        objective(
            l1=0.1, l2=l2, fit_intercept=fit_intercept, penalty="log_sum",
            gamma=2.0,
        ),
        dict(X=LAYOUTS[layout](X), y=y),
    )
    assert run.skipped is None
    assert run.points[-1]["relative_violation"] <= 1e-8
    assert 0 < run.points[-1]["n_nonzeros"] < X.shape[1] + 1


@pytest.mark.parametrize("name", ["auto-newton", "anderson-cd", "prox-newton"])
@pytest.mark.parametrize("layout", ["C", "csr"])
def test_ours_solve_it(layout, name):
    X, y = TALL
    run = run_to_the_end(
        solver(name), objective(l1=0.1, l2=0.3, penalty="log_sum", gamma=2.0),
        dict(X=LAYOUTS[layout](X), y=y), target=1e-8,
    )
    assert run.skipped is None
    assert run.points[-1]["relative_violation"] <= 1e-8


def test_other_solvers_are_skipped_with_the_reason():
    X, y = WIDE
    run = run_to_the_end(
        solver("scipy[method=L-BFGS-B]"),
        objective(l1=0.1, penalty="log_sum"), dict(X=X, y=y),
    )
    assert run.skipped == "does not handle the log_sum penalty."


def test_a_file_with_a_mistake_is_a_reason(tmp_path):
    (tmp_path / "wrong.py").write_text("def prox(x, step:\n")
    skip, reason = set_problem(
        objective(l1=0.1, penalty="wrong"), dict(X=TALL[0], y=TALL[1])
    )
    assert skip and reason.startswith("the file of the penalty wrong: ")
    # and costs nobody else anything
    run = run_to_the_end(
        solver("auto-newton"), objective(l2=1.0),
        dict(X=TALL[0], y=TALL[1]),
    )
    assert run.skipped is None
    assert run.points[-1]["relative_gap"] <= 1e-8
