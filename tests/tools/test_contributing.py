"""CONTRIBUTING.md does what it says: its code blocks are run."""
import re

import pandas as pd
import pytest

from conftest import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def blocks(kind):
    pattern = rf"<!-- {kind}: (\S+) -->\n```python\n(.*?)```"
    return re.findall(pattern, TEXT, flags=re.DOTALL)


def test_new_solver_dataset_and_metric(copy, benchopt):
    files = blocks("file")
    assert [path for path, _ in files] == [
        "solvers/gradient_descent.py", "datasets/iris.py",
        "benchmark_utils/fenchel/penalties/log_sum.py",
    ]
    for path, code in files:
        (copy / path).write_text(code)
    ((path, line),) = blocks("line")
    objective = copy / path
    before = "        metrics = dict(\n"
    assert before in objective.read_text()
    objective.write_text(
        objective.read_text().replace(before, before + line)
    )

    benchopt(
        copy, "run", ".", "-d", "iris", "-s", "gradient-descent",
        "-s", "raw-newton", "-n", "60", "--output", "tried", "--no-display",
    )

    results = pd.read_parquet(copy / "outputs" / "tried.parquet")
    assert set(results["solver_name"]) == {"gradient-descent", "raw-newton"}
    assert (results["objective_coef_norm"] >= 0).all()
    best = results.groupby("solver_name")["objective_relative_gap"].min()
    assert best["raw-newton"] < 1e-10
    assert best["gradient-descent"] < 1e-2
    page = next((copy / "outputs").glob("*tried*.html")).read_text()
    assert "gradient-descent" in page
    assert "coef_norm" in page


def run_with_a_new_penalty(copy, benchopt, *solvers):
    """Drop the penalty in, run it, check the page; return the result."""
    for path, code in blocks("file"):
        (copy / path).write_text(code)
    chosen = [word for name in solvers for word in ("-s", name)]
    benchopt(
        copy, "run", ".", "-d", "iris", *chosen,
        "-o", "*[l1=0.1,l2=0.0,penalty=log_sum,gamma=0.5]",
        "-n", "60", "--output", "dropped", "--no-display",
    )
    page = next((copy / "outputs").glob("*dropped*.html")).read_text()
    assert "log-sum, 0.1 of max, gamma 0.5" in page
    return pd.read_parquet(copy / "outputs" / "dropped.parquet")


def test_new_penalty(copy, benchopt):
    found = run_with_a_new_penalty(
        copy, benchopt, "gradient-descent",
        "proximal-gradient[accelerated=True,compiled=[True,False],step=fixed]",
    )
    # the first is for L2, and says so
    best = found.groupby("solver_name")["objective_relative_violation"].min()
    assert len(best) == 2 and (best < 1e-8).all()


@pytest.mark.slow
def test_new_penalty_is_solved_by_ours(copy, benchopt):
    found = run_with_a_new_penalty(
        copy, benchopt, "auto-newton", "anderson-cd", "prox-newton"
    )
    best = found.groupby("solver_name")["objective_relative_violation"].min()
    assert len(best) == 3 and (best < 1e-8).all()
