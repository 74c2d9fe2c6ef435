"""fit_logistic and fit_many: right in every layout, clear when refused."""
import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.newton.small.batch import fit_many, pack_problems
from benchmark_utils.problem.certificate import certify
from benchmark_utils.problem.loss import gradient, log_loss, predict_margins

SHAPES = {
    "tiny": (40, 3), "small": (400, 30), "tall": (900, 80),
    "wide": (50, 900), "few samples": (25, 900), "many rows": (9000, 3),
}


def make(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.6)
    scores = X @ rng.standard_normal(p) + 0.7
    return X, np.where(rng.random(n) < 1 / (1 + np.exp(-scores)), 1.0, -1.0)


def reference(X, y, l2, fit_intercept):
    """An independent optimum, by scipy."""
    p = X.shape[1]

    def value_and_grad(x):
        w, b = x[:p], x[p] if fit_intercept else 0.0
        margins = predict_margins(X, y, w, b)
        grad, grad_b = gradient(X, y, margins)
        grad = grad + l2 * w
        return log_loss(margins) + l2 / 2 * w @ w, (
            np.append(grad, grad_b) if fit_intercept else grad
        )

    x = minimize(
        value_and_grad, np.zeros(p + fit_intercept), jac=True,
        method="L-BFGS-B",
        options={"ftol": 0, "gtol": 1e-10, "maxiter": 10**4, "maxcor": 30},
    ).x
    return x[:p], x[p] if fit_intercept else 0.0


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "float32": lambda X: X.astype(np.float32),
    "F float32": lambda X: np.asfortranarray(X.astype(np.float32)),
    "list": lambda X: X.tolist(),
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
    "csr float32": lambda X: sparse.csr_array(X.astype(np.float32)),
    "coo": sparse.coo_matrix,
}


@pytest.mark.matrix(30)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_solves(shape, fit_intercept, layout):
    X, y = make(*SHAPES[shape])
    X = X.astype(np.float32).astype(np.float64)
    data = LAYOUTS[layout](X)
    before = data.copy()
    coef, intercept, info = fit_logistic(
        data, y, l2=0.5, fit_intercept=fit_intercept, tol=1e-10
    )
    if layout != "list":
        assert abs(data - before).max() == 0
    assert info["converged"], info
    point = certify(X, y, coef, intercept, 0.0, 0.5, fit_intercept)
    assert point.relative_gap <= 2e-10
    assert info["relative_gap"] <= 1e-10
    assert info["objective"] == pytest.approx(point.value, rel=1e-12)
    w, b = reference(X, y, 0.5, fit_intercept)
    np.testing.assert_allclose(coef, w, atol=2e-5)
    assert intercept == pytest.approx(b, abs=2e-5)
    assert coef.dtype == np.float64
    assert isinstance(intercept, float)


def test_what_memory_held_before_does_not_matter(monkeypatch):
    """The factor of the first rows is used, not what np.empty found."""
    empty = np.empty

    def used(shape, dtype=float):
        array = empty(shape, dtype)
        array.fill(1e300 if array.dtype == np.float64 else 1e9)
        return array

    monkeypatch.setattr(np, "empty", used)
    X, y = make(9000, 18)
    n_iter = [
        fit_logistic(X.astype(dtype), y, tol=1e-10)[2]["n_iter"]
        for dtype in (np.float64, np.float32)
    ]
    assert n_iter[0] == n_iter[1]


@pytest.mark.parametrize("int64", [False, True])
def test_wide_indices(int64):
    X, y = make(300, 50)
    X = sparse.csr_matrix(X)
    if int64:
        X.indices = X.indices.astype(np.int64)
        X.indptr = X.indptr.astype(np.int64)
    assert fit_logistic(X, y)[2]["converged"]


@pytest.mark.parametrize("start", [0.1, 3.0, 100.0, -1e4])
@pytest.mark.parametrize("shape", SHAPES)
def test_from_any_start(shape, start):
    X, y = make(*SHAPES[shape])
    coef, intercept, info = fit_logistic(
        X, y, l2=0.5, fit_intercept=True, intercept_init=start,
        coef_init=np.full(X.shape[1], start),
    )
    assert info["converged"], info
    w, b = reference(X, y, 0.5, True)
    np.testing.assert_allclose(coef, w, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_copy(shape):
    X, y = make(*SHAPES[shape])
    assert fit_logistic(X, y, float32_copy=False)[2]["converged"]


@pytest.mark.parametrize("labels", [
    [0, 1], [1, 2], [False, True], ["no", "yes"], [-1, 1],
])
def test_labels(labels):
    X, y = make(60, 4)
    expected, _, _ = fit_logistic(X, y)
    coef, _, _ = fit_logistic(X, np.array(labels)[(y > 0).astype(int)])
    np.testing.assert_array_equal(coef, expected)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_the_gap_at_the_iteration_limit_is_certified(fit_intercept):
    X, y = make(900, 600)
    coef, intercept, info = fit_logistic(
        X, y, l2=1e-2, fit_intercept=fit_intercept, max_iter=4
    )
    point = certify(X, y, coef, intercept, 0.0, 1e-2, fit_intercept)
    assert info["objective"] == pytest.approx(point.value, rel=1e-10)
    assert info["relative_gap"] >= min(point.relative_gap, 1.0) * (1 - 1e-6)


def test_iteration_limit_is_said():
    for shape in SHAPES.values():
        X, y = make(*shape)
        _, _, info = fit_logistic(X, y, l2=1e-3, max_iter=1)
        assert not info["converged"]
        assert info["status"] == "stopped at max_iter iterations"
        assert info["relative_gap"] > 1e-8


X, Y = make(20, 3)


@pytest.mark.parametrize("arguments, error, reason", [
    ((X, Y, 0, 0.0), ValueError, "must be positive"),
    ((X, Y, 0, np.nan), ValueError, "finite and not negative"),
    ((X, Y[:5]), ValueError, "5 labels for 20 samples"),
    ((X, np.ones(20)), ValueError, "single class"),
    ((X, np.arange(20)), ValueError, "20 classes, not two"),
    ((X, np.where(Y > 0, np.nan, 1.0)), ValueError, "NaN or infinity"),
    ((X[:, :0], Y), ValueError, "at least one sample and one feature"),
    ((X[0], Y), ValueError, "n_samples, n_features"),
])
def test_refuses(arguments, error, reason):
    with pytest.raises(error, match=reason):
        fit_logistic(*arguments)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("layout", ["C", "csr"])
@pytest.mark.parametrize("shape", SHAPES)
def test_refuses_bad_entries(shape, layout, bad):
    X, y = make(*SHAPES[shape])
    X[-1, -1] = bad
    with pytest.raises(ValueError, match="NaN or infinity: impute"):
        fit_logistic(LAYOUTS[layout](X), y)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_many_problems_are_the_single_ones(fit_intercept):
    rng = np.random.default_rng(0)
    problems = [
        make(int(rng.integers(8, 60)), int(rng.integers(1, 9)), seed)
        for seed in range(40)
    ]
    for _, y in problems:
        y[:2] = -1.0, 1.0
    batch = pack_problems(*zip(*problems, strict=True))
    coef, intercepts, info = fit_many(
        batch, l2=0.3, fit_intercept=fit_intercept, tol=1e-9
    )
    assert info["converged"].all()
    for k, (X, y) in enumerate(problems):
        w, b, one = fit_logistic(
            X, y, l2=0.3, fit_intercept=fit_intercept, tol=1e-9
        )
        first, last = batch.feature_offsets[k:k + 2]
        # both within 1e-9 of the least F
        np.testing.assert_allclose(coef[first:last], w, rtol=1e-3, atol=1e-4)
        assert intercepts[k] == pytest.approx(b, rel=1e-3, abs=1e-4)
        assert max(info["relative_gap"][k], one["relative_gap"]) <= 1e-9


def test_many_problems_in_threads_are_the_same():
    import numba

    problems = [make(30, 4, seed) for seed in range(25)]
    batch = pack_problems(*zip(*problems, strict=True))
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        serial, _, info = fit_many(batch, l2=0.1)
        assert info["n_threads"] == 1
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
        threaded, _, info = fit_many(batch, l2=0.1)
        assert info["n_threads"] == min(numba.config.NUMBA_NUM_THREADS, 25)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(serial, threaded)


@pytest.mark.parametrize("Xs, ys, reason", [
    ([], [], "give one each"),
    ([X], [], "give one each"),
    ([X], [Y[:4]], "problem 0"),
    ([X], [Y + 1], "labels must be"),
])
def test_pack_refuses(Xs, ys, reason):
    with pytest.raises(ValueError, match=reason):
        pack_problems(Xs, ys)
