"""Batches of problems: the sum is certified, every solver solves them."""
import numpy as np
import pytest

from benchmark_utils.problem.batches import ManyProblems, certify_many
from benchmark_utils.problem.certificate import certify, lambda1_max
from harness import dataset, objective, run_to_the_end, set_problem, solver

SOLVERS = [
    "auto-newton", "raw-newton", "loop-fused-newton",
    "scipy[method=Newton-CG]", "sklearn[solver=lbfgs]",
]


def small(**parameters):
    return dataset("many_small", sizes="mixed", n_problems=12, **parameters)


def test_certificate_is_the_sum():
    data = small().get_data()
    rng = np.random.default_rng(0)
    many = data["X"]
    coef = rng.standard_normal(many.shape[1])
    intercept = rng.standard_normal(12)
    total = certify_many(many, data["y"], coef, intercept, 0.0, 0.3, True)
    points = [
        certify(X, y, coef[a:b], c, 0.0, 0.3, True)
        for (X, y), a, b, c in zip(
            many.split(data["y"]), many.feature_offsets[:-1],
            many.feature_offsets[1:], intercept, strict=True,
        )
    ]
    assert total.value == pytest.approx(sum(p.value for p in points))
    assert total.gap == pytest.approx(sum(p.gap for p in points))
    assert total.kkt == max(p.kkt for p in points)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("name", SOLVERS)
def test_solves_a_batch(name, fit_intercept):
    problem = objective(l2=0.2, fit_intercept=fit_intercept)
    run = run_to_the_end(solver(name), problem, small())
    assert run.points[-1]["relative_gap"] <= 1e-8
    assert run.coef.shape == (problem.n_features,)


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("name", [
    "auto-newton", "scipy[method=L-BFGS-B]",
    "proximal-gradient[accelerated=True,compiled=False,step=fixed]",
])
def test_solves_a_batch_with_one_lambda1(name, l2):
    problem = objective(l1=0.1, l2=l2)
    run = run_to_the_end(solver(name), problem, small())
    assert run.points[-1]["relative_gap"] <= 1e-8
    largest = [
        lambda1_max(X, y, False) for X, y in problem.X.split(problem.y)
    ]
    assert problem.lmbd1 == pytest.approx(0.1 * np.median(largest))


def test_a_batch_is_for_l1_and_l2():
    skip, said = set_problem(objective(l1=0.1, penalty="mcp"), small())
    assert skip and "has no penalty mcp" in said


@pytest.mark.parametrize("sizes, shape", [
    ("10x2", (30, 6)), ("200x10", (600, 30)),
])
def test_sizes(sizes, shape):
    data = dataset("many_small", sizes=sizes, n_problems=3).get_data()
    assert data["X"].shape == shape
    assert len(data["y"]) == shape[0]


def test_bad_batches_are_skipped():
    X = np.ones((4, 2))
    y = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    for designs, labels, l1, reason in [
        ([X, X], [0, 1, 0, 1, 1, 1, 1, 1], 0.0, "problem 1: y has the sin"),
        ([X, X * np.nan], y, 0.0, "problem 1: X contains NaN"),
        ([X, X], y[:5], 0.0, "2 problems with 8 samples, and 5 labels"),
        ([X * 0.0, X * 0.0], y, 0.1, "lambda1_max is zero"),
    ]:
        skip, said = set_problem(
            objective(l1=l1, l2=0.0 if l1 else 1.0),
            dict(X=ManyProblems(designs), y=np.array(labels)),
        )
        assert skip
        assert reason in said


def test_unknown_sizes():
    with pytest.raises(ValueError, match="choose 10x2, 200x10 or mixed"):
        dataset("many_small", sizes="3x3", n_problems=3).get_data()
