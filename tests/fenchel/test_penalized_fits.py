"""fit_logistic and fit_many with L1, elastic net, MCP and SCAD."""
import warnings

import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.fenchel import fit_logistic, fit_many, pack_problems
from benchmark_utils.problem.certificate import certify, lambda1_max
from problems import LAYOUTS
from sparse_problems import L1, MCP, SCAD, problem, violation

PENALTIES = ["elasticnet", "mcp", "scad"]
GAMMA = 20.0


def largest(X, y, fit_intercept):
    return lambda1_max(X, y, fit_intercept)


def hold(X, y, l1, l2, fit_intercept, penalty, tol=1e-8, **options):
    """Fit, and hold what is reported against the referee and NumPy.

    With `may_stop` float64 need not allow the tolerance.
    """
    may_stop, before = options.pop("may_stop", False), X.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coef, intercept, info = fit_logistic(
            X, y, l1=l1, l2=l2, fit_intercept=fit_intercept, tol=tol,
            penalty=penalty, gamma=GAMMA, **options,
        )
    assert (X != before).sum() == 0
    assert info["converged"] or may_stop, info
    assert fit_intercept or intercept == 0.0
    if penalty == "elasticnet":
        found = certify(X, y, coef, intercept, l1, l2, fit_intercept)
        assert found.relative_gap <= tol
        assert found.relative_gap <= info["relative_gap"] + 1e-12
        assert info["objective"] == pytest.approx(found.value, rel=1e-12)
    else:
        kind = {"mcp": MCP, "scad": SCAD}[penalty]
        far = violation(
            X, y, np.append(coef, intercept),
            kind.from_problem(l1, GAMMA, len(y)), l2, fit_intercept,
        )
        rounding = 1e-14 * np.abs(X).sum(axis=0).max()
        assert far <= len(y) * info["violation"] + rounding
        assert may_stop or len(y) * info["violation"] <= tol * l1
    return coef, intercept, info


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("shape", [(10, 2), (200, 10), (60, 300)])
def test_layouts_and_types_agree(shape, fit_intercept, penalty):
    X, y = problem(*shape)
    l1 = 0.1 * largest(X, y, fit_intercept)
    first, _, _ = hold(X, y, l1, 0.1, fit_intercept, penalty, 1e-12)
    for name, convert in LAYOUTS.items():
        given = convert(X)
        again, _, _ = hold(given, y, l1, 0.1, fit_intercept, penalty, 1e-12)
        np.testing.assert_allclose(again, first, atol=1e-6, err_msg=name)
    frozen = X.copy()
    frozen.flags.writeable = False
    again, _, _ = fit_logistic(
        frozen, y > 0, l1, 0.1, fit_intercept, 1e-12, penalty=penalty
    )
    np.testing.assert_allclose(again, first, atol=1e-6)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_above_the_largest_lambda_nothing_is_left(convert, penalty):
    X, y = problem(50, 20)
    for fit_intercept in (False, True):
        l1 = (1.0 + 1e-9) * largest(X, y, fit_intercept)
        coef, _, _ = hold(convert(X), y, l1, 0.0, fit_intercept, penalty)
        assert not coef.any()
        coef, _, _ = hold(
            convert(X), y, 0.9 * l1, 0.0, fit_intercept, penalty
        )
        assert coef.any()


def near_separable(rng):
    X = rng.standard_normal((60, 5))
    return X, np.where(X[:, 0] > 0.0, 1.0, -1.0)


def duplicated(rng):
    X = rng.standard_normal((60, 8))
    return np.hstack([X, X[:, ::-1], X[:, :1] * 2.0]), signs(rng, X[:, 0])


def constant_and_zero(rng):
    X = rng.standard_normal((60, 8))
    X[:, 2], X[:, 5] = 3.0, 0.0
    return X, signs(rng, X[:, 0])


def scaled(rng):
    X = rng.standard_normal((80, 13)) * np.logspace(-6, 6, 13)
    return X, signs(rng, X[:, 6])


def offset(rng):
    X = rng.standard_normal((80, 6)) + [0.0, 1e3, 1e6, 1e9, -1e6, 1.0]
    return X, signs(rng, X[:, 0])


def one_positive(rng):
    X = rng.standard_normal((80, 6))
    return X, np.where(np.arange(80) == 3, 1.0, -1.0)


def signs(rng, z):
    return np.where(z + rng.logistic(size=len(z)) > 0.0, 1.0, -1.0)


HARD = [
    near_separable, duplicated, constant_and_zero, scaled, offset,
    one_positive,
]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("make", HARD, ids=lambda make: make.__name__)
def test_hard_problems(make, fit_intercept, penalty):
    rng = np.random.default_rng(7)
    X, y = make(rng)
    top = largest(X, y, fit_intercept)
    # the violation of a column at 1e9 follows the last digits of b
    may_stop = make is offset and penalty != "elasticnet"
    for share in (1e-4, 1e-2, 0.5, 1.0, 1.5):
        for l2 in (0.0, 1.0):
            hold(
                X, y, share * top, l2, fit_intercept, penalty, 1e-7,
                may_stop=may_stop,
            )


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_without_compiling(convert, penalty):
    X, y = problem(80, 30)
    for fit_intercept in (False, True):
        l1 = 0.1 * largest(X, y, fit_intercept)
        coef, _, info = hold(
            convert(X), y, l1, 0.1, fit_intercept, penalty, compile=False
        )
        assert info["regime"] == "plain"
        again, _, _ = hold(convert(X), y, l1, 0.1, fit_intercept, penalty)
        if penalty == "elasticnet":
            # the others may end at another critical point
            np.testing.assert_allclose(coef, again, atol=1e-4)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_start_is_never_left_for_a_worse_point(penalty):
    X, y = problem(80, 10)
    l1 = 0.05 * largest(X, y, True)
    coef, intercept, info = hold(X, y, l1, 0.0, True, penalty)
    _, _, again = hold(
        X, y, l1, 0.0, True, penalty, coef_init=coef,
        intercept_init=intercept,
    )
    assert again["objective"] <= info["objective"] * (1.0 + 1e-12)
    assert again["n_iter"] <= info["n_iter"]
    _, _, none = fit_logistic(
        X, y, l1, 0.0, True, penalty=penalty, max_iter=0
    )
    assert not none["converged"]
    assert none["objective"] <= 80 * np.log(2.0)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_many_problems_are_the_single_ones(fit_intercept, penalty):
    drawn = [problem(10, 2, seed) for seed in range(9)]
    drawn += [problem(30, 4, seed) for seed in range(3)]
    for _, y in drawn:
        y[:2] = -1.0, 1.0
    batch = pack_problems(*zip(*drawn, strict=True))
    coef, intercepts, info = fit_many(
        batch, l2=0.1, fit_intercept=fit_intercept, tol=1e-10, l1=0.3,
        penalty=penalty,
    )
    assert info["converged"].all()
    starts = batch.feature_offsets
    for k, (X, y) in enumerate(drawn):
        alone, intercept, told = fit_logistic(
            X, y, 0.3, 0.1, fit_intercept, 1e-10, penalty=penalty
        )
        np.testing.assert_allclose(
            coef[starts[k]:starts[k + 1]], alone, atol=1e-5
        )
        assert intercepts[k] == pytest.approx(intercept, abs=1e-5)
        name = "relative_gap" if penalty == "elasticnet" else "violation"
        assert 0.0 <= info[name][k] <= 1e-10
        assert name in told


def test_each_problem_of_a_batch_may_have_a_lambda_of_its_own():
    drawn = [problem(20, 3, seed) for seed in range(5)]
    batch = pack_problems(*zip(*drawn, strict=True))
    l1 = np.linspace(0.1, 2.0, 5)
    coef, _, info = fit_many(batch, l2=0.0, l1=l1)
    assert info["converged"].all()
    for k, (X, y) in enumerate(drawn):
        alone, _, _ = fit_logistic(X, y, l1[k], 0.0)
        np.testing.assert_allclose(coef[3 * k:3 * k + 3], alone, atol=1e-4)


PROBLEMS = [(0.0, "elasticnet"), *((0.1, penalty) for penalty in PENALTIES)]


def weighted_value(X, y, coef, intercept, l1, l2, penalty, weights):
    """Return F in NumPy."""
    losses = np.logaddexp(0.0, -y * (X @ coef + intercept))
    value = weights @ losses + 0.5 * l2 * (coef @ coef)
    kind = {"elasticnet": L1, "mcp": MCP, "scad": SCAD}[penalty]
    kind = kind.from_problem(l1, GAMMA, weights.sum())
    return value + sum(kind.value(float(w)) for w in coef)


@pytest.mark.parametrize("share, penalty", PROBLEMS)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_whole_weights_are_repeated_samples(
    convert, compile, fit_intercept, share, penalty
):
    rng = np.random.default_rng(3)
    X, y = problem(40, 6)
    weights = rng.integers(0, 4, 40)
    again, labels = np.repeat(X, weights, axis=0), np.repeat(y, weights)
    l1 = share * largest(again, labels, fit_intercept)
    coef, intercept, info = fit_logistic(
        convert(X), y, l1, 0.5, fit_intercept, 1e-11, penalty=penalty,
        sample_weight=weights, compile=compile,
    )
    assert info["converged"], info
    expected, other, told = fit_logistic(
        again, labels, l1, 0.5, fit_intercept, 1e-11, penalty=penalty
    )
    assert info["objective"] == pytest.approx(
        weighted_value(X, y, coef, intercept, l1, 0.5, penalty, weights),
        rel=1e-12,
    )
    if penalty == "elasticnet":
        np.testing.assert_allclose(coef, expected, atol=1e-5)
        assert intercept == pytest.approx(other, abs=1e-5)
        found = certify(
            again, labels, coef, intercept, l1, 0.5, fit_intercept
        )
        assert found.relative_gap <= info["relative_gap"] + 1e-13


@pytest.mark.parametrize("share, penalty", PROBLEMS)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_weights_of_huge_ratios(fit_intercept, share, penalty):
    X, y = problem(60, 5)
    weights = np.logspace(-8, 4, 60)
    l1 = share * np.abs(X.T @ (weights * y)).max() / 2.0
    coef, intercept, info = fit_logistic(
        X, y, l1, 1.0, fit_intercept, penalty=penalty, sample_weight=weights
    )
    assert info["converged"], info
    assert info["objective"] == pytest.approx(weighted_value(
        X, y, coef, intercept, l1, 1.0, penalty, weights
    ), rel=1e-10)


def test_weights_that_are_all_one_change_nothing():
    X, y = problem(60, 5)
    first = fit_logistic(X, y, 0.5, 0.1)
    again = fit_logistic(X, y, 0.5, 0.1, sample_weight=[1] * 60)
    np.testing.assert_array_equal(first[0], again[0])


@pytest.mark.parametrize("weights, reason", [
    ([1.0] * 19, "one number a sample"),
    ([-1.0] + [1.0] * 19, "not negative"),
    ([np.nan] + [1.0] * 19, "finite"),
    ([0.0] * 20, "zero everywhere"),
    (["a"] * 20, "encode"),
])
def test_refuses_weights(weights, reason):
    with pytest.raises(ValueError, match=reason):
        fit_logistic(X, Y, sample_weight=weights)


def test_one_class_without_weight_has_no_intercept():
    with pytest.raises(ValueError, match="single class"):
        fit_logistic(X, Y, fit_intercept=True, sample_weight=Y > 0)
    assert fit_logistic(X, Y, sample_weight=Y > 0)[2]["converged"]


X, Y = problem(20, 3)


@pytest.mark.parametrize("options, error, reason", [
    (dict(l1=0.1, penalty="lasso"), ValueError, "unknown: choose among"),
    (dict(l1=0.1, penalty=3), ValueError, "unknown: choose among"),
    (dict(l1=0.0, penalty="mcp"), ValueError, "set it above zero"),
    (dict(l1=0.1, penalty="scad", gamma=2.0), ValueError, "above 2"),
    (dict(l1=0.1, penalty="mcp", gamma=0.0), ValueError, "above 0"),
    (dict(l1=0.1, penalty="mcp", gamma="big"), ValueError, "not a number"),
    (dict(l1=0.1, penalty="tv"), NotImplementedError, "couples"),
    (dict(l1=0.0, l2=0.0), ValueError, "no penalty at all"),
    (dict(l1=-1.0), ValueError, "not negative"),
])
def test_refuses(options, error, reason):
    with pytest.raises(error, match=reason):
        fit_logistic(X, Y, **options)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_names_entries_that_are_not_finite(convert, bad):
    X, y = problem(60, 50)
    X[-1, -1] = bad
    with pytest.raises(ValueError, match="NaN or infinity: impute"):
        fit_logistic(convert(X), y, 0.1, 0.0)


@pytest.mark.parametrize("options, reason", [
    (dict(l1=[0.1, 0.2]), "one number a problem"),
    (dict(l1=[0.1, 0.0, 0.3]), "above zero for each"),
    (dict(l1=[0.1, np.nan, 0.3]), "finite real numbers"),
    (dict(l1=[0.1, 0.2, 0.3], penalty="mcp"), "give one number"),
    (dict(l1=-1.0), "not negative"),
    (dict(l1="much"), "not a number"),
    (dict(l1=0.1, l2=-1.0), "not negative"),
    (dict(l1=0.1, penalty="lasso"), "unknown: choose among"),
    (dict(l1=0.0, penalty="mcp"), "set it above zero"),
])
def test_a_batch_refuses(options, reason):
    batch = pack_problems([X] * 3, [Y] * 3)
    with pytest.raises(ValueError, match=reason):
        fit_many(batch, **options)
    assert fit_many(batch, l1=0)[2]["converged"].all()
