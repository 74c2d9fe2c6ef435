"""Few columns: the kernels against NumPy, and the fits that use them."""
import numpy as np
import pytest
from numba import njit

from benchmark_utils.fenchel.compilation import bare
from benchmark_utils.fenchel.duality import class_factor
from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.linalg import simd
from benchmark_utils.fenchel.linalg import tiles as simd_tiles
from benchmark_utils.fenchel.linalg.simd import LANES, SINGLE_LANES
from benchmark_utils.fenchel.newton.small import hessian, vectors
from benchmark_utils.fenchel.newton.small import kernels as few
from benchmark_utils.fenchel.newton.small.descent import fit_tiny
from benchmark_utils.fenchel.newton.small.layout import workspace_size
from benchmark_utils.fenchel.newton.small.point import evaluate
from benchmark_utils.fenchel.newton.small.samples import (
    BLOCK,
    Block,
    fill,
    flat,
    narrow_vector,
    samples_of,
)
from benchmark_utils.fenchel.newton.small.streamed import (
    lay_out,
    streamed_size,
)
from benchmark_utils.fenchel.result import REACHED
from benchmark_utils.problem import loss as naive
from benchmark_utils.problem.certificate import certify

RNG = np.random.default_rng(0)
EXTREME = [-800.0, -700.0, -30.0, -1e-300, 0.0, 1e-9, 30.0, 700.0, 800.0]
SIZES = [(1, 1), (2, 3), (9, 2), (15, 4), (16, 7), (200, 10), (333, 33)]


def up(n):
    return -(-n // LANES) * LANES


def design(n, p, dtype=np.float64):
    X = RNG.standard_normal((n, p)).astype(dtype)
    return X, np.where(RNG.random(n) < 0.5, 1.0, -1.0)


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def one_loss(work, i):
    """The loss of margin i alone, its weight being at work[16 + i]."""
    alone = np.concatenate([np.full(8, few.FAR), np.zeros(8)])
    alone[0], alone[8] = work[i], work[16 + i]
    return few.loss(alone, 0, 8, 8, alone[8])


def test_weights_and_losses():
    margins = np.concatenate([EXTREME, RNG.standard_normal(7) * 20])
    work = np.concatenate([margins, np.empty(3 * 16)])
    mass = few.weigh(work, 0, 16, 32, 16)
    s, h = naive.dual_weights(margins), naive.curvature(margins)
    # exp(-800) is cut at exp(-700), 1e-304
    np.testing.assert_allclose(work[16:32], s, rtol=2e-15, atol=1e-303)
    np.testing.assert_allclose(work[32:48], h, rtol=2e-15, atol=1e-303)
    assert mass == pytest.approx(s.sum())
    assert few.loss(work, 0, 16, 16, mass) == pytest.approx(
        naive.log_loss(margins), rel=1e-14
    )
    # none drowns in the sum of the others
    np.testing.assert_allclose(
        [one_loss(work, i) for i in range(16)],
        [naive.log_loss(margins[i:i + 1]) for i in range(16)],
        rtol=1e-14, atol=1e-15,
    )


# of samples, and what is added to their margins: few and many factors of a
# product, and losses that would drown in its rounding
@pytest.mark.parametrize("n", [8, 512, 2000])
@pytest.mark.parametrize("shift", [-20.0, 0.0, 6.0, 30.0])
def test_losses_of_many_samples(n, shift):
    margins = RNG.standard_normal(n) + shift
    work = np.concatenate([margins, naive.dual_weights(margins)])
    assert few.loss(work, 0, n, n, work[n:].sum()) == pytest.approx(
        naive.log_loss(margins), rel=1e-12
    )


def test_vectors_of_a_point():
    q, width, ridge_value = 11, 16, 0.3
    w, g, d = np.zeros((3, width))
    w[:q], g[:q], d[:q] = RNG.standard_normal((3, q))
    ridge = np.where(np.arange(width) < q - 1, ridge_value, 0.0)
    work = np.concatenate([w, g, d, ridge])
    at = dict(zip("wgdr", range(0, 4 * width, width), strict=True))
    squares, penalty = vectors.finish_gradient(
        work, at["w"], at["r"], at["g"], width
    )
    g = ridge * w - g
    close(work[width:2 * width], g)
    close([squares, penalty], [g[:q - 1] @ g[:q - 1], ridge @ w**2])
    close(
        vectors.slopes(work, at["g"], at["w"], at["r"], at["d"], width),
        [g @ d, ridge @ (w * d), ridge @ d**2],
    )
    close(vectors.dot(work, at["g"], at["d"], width), g @ d)
    close(
        vectors.weighted_square(work, at["g"], at["r"], width), ridge @ g**2
    )


def test_third_order():
    m, dm = RNG.standard_normal((2, 16))
    work = np.concatenate([np.empty(32), dm, np.empty(16), m])
    few.weigh(work, 64, 0, 16, 16)
    few.third_order(work, 0, 16, 32, 48, 16)
    e = 1e-5
    slopes = [naive.dual_weights(m + t * dm) for t in (-e, 0.0, e)]
    second = (slopes[0] - 2 * slopes[1] + slopes[2]) / e**2
    np.testing.assert_allclose(work[48:64], 0.5 * second, atol=1e-5)


def test_weights_along_a_step():
    m, d = RNG.standard_normal((2, 24)) * 3
    work = np.concatenate([m, d, np.empty(48)])
    first, second, mass = few.weigh_along(work, 0, 24, 0.7, 48, 72, 24)
    s, h = naive.dual_weights(m + 0.7 * d), naive.curvature(m + 0.7 * d)
    close([first, second, mass], [-s @ d, h @ d**2, s.sum()])
    close(work[48:], np.concatenate([s, h]))
    few.advance(work, 0, 0.7, 24, 24)
    close(work[:24], m + 0.7 * d)
    assert few.largest(work, 0, 20) == abs(work[:20]).max()


def test_weights_in_float32():
    """Relative to each: also the tiny ones, down to exp(-86)."""
    margins = np.concatenate([
        [-800.0, -86.0, -30.0, -0.0, 0.0, 1e-9, 86.0, 800.0, 1e30],
        RNG.standard_normal(55) * 20,
    ]).astype(np.float32)
    work = np.full(3 * 64, np.nan, dtype=np.float32)
    work[:64] = margins
    mass = few.weigh(work, 0, 64, 128, 64)
    exact = margins.astype(float)
    s, h = naive.dual_weights(exact), naive.curvature(exact)
    np.testing.assert_allclose(work[64:128], s, rtol=4e-7, atol=5e-38)
    np.testing.assert_allclose(work[128:], h, rtol=6e-7, atol=5e-38)
    assert mass == pytest.approx(s.sum(), rel=1e-6)
    assert few.largest(work, 0, 8) == 800.0


@pytest.mark.parametrize("n, q", [(16, 1), (32, 3), (208, 10), (80, 13)])
def test_kernels_in_float32(n, q):
    """As in float64: what is for both takes the type of its arrays."""
    A, w = RNG.standard_normal((q, n)), RNG.standard_normal(q)
    m, dm = RNG.standard_normal((2, n))
    results = []
    for dtype in (np.float64, np.float32):
        work = np.concatenate([A.ravel(), np.tile([m, dm], 3).ravel()])
        work, at = work.astype(dtype), q * n
        places = at + n * np.arange(6)
        m_, dm_, s, h, out, change = map(int, places)
        sums = np.zeros(q)
        few.combine(work, 0, n, q, w, 0, out, n)
        along = few.weigh_along(work, m_, dm_, 0.7, s, h, n)
        few.project(work, 0, n, q, s, sums, 0, n)
        few.third_order(work, s, h, dm_, change, n)
        few.advance(work, m_, -0.3, dm_, n)
        results.append([work.astype(float), sums, along])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@bare
def fill_block(data, y, where, intercept, work, pitch):
    return fill(
        samples_of(data, y, where, intercept), 0, work,
        Block(0, pitch, where[3], 1),
    )


@pytest.mark.parametrize("name", ["float64", "float32", "F", "rows", "C"])
@pytest.mark.parametrize("n, p", SIZES)
def test_signed_columns(n, p, name):
    """Whatever the layout is; what lies behind X is not read."""
    X, y = design(n, p)
    X = {
        "F": np.asfortranarray, "float32": lambda X: X.astype(np.float32),
        "rows": lambda X: np.repeat(X, 3, axis=0)[::3],
    }.get(name, np.ascontiguousarray)(X)
    pitch = up(n) + LANES
    work = np.full(up(p + 1) * pitch + LANES, np.nan)
    data, row_stride, column_stride = flat(X)
    where = (0, row_stride, column_stride, n, p, 0)
    assert fill_block(data, y, where, True, work, pitch) == up(n)
    columns = work[:(p + 1) * pitch].reshape(p + 1, pitch)
    np.testing.assert_array_equal(columns[:p, :n], (X * y[:, None]).T)
    np.testing.assert_array_equal(columns[p, :n], y)
    assert (columns[:, n:up(n)] == 0).all()
    if name == "C":
        # every second row, from the second on
        some = X[1::2].reshape(len(X[1::2]), p)
        fill_block(
            data, np.ones(n + LANES), (p, 2 * p, 1, len(some), p, 0), False,
            work, pitch,
        )
        np.testing.assert_array_equal(columns[:p, :len(some)], some.T)


@pytest.mark.parametrize(
    "n, q", [*SIZES, (BLOCK + 1, 6), (500, 13), (600, 9)]
)
def test_products(n, q):
    n = up(n)
    A, h, w = RNG.standard_normal((q, n)), RNG.random(n), RNG.random(q)
    width = (q + LANES) // LANES * LANES
    U = (q + 3) * n
    vector = U + q * width
    singles = vector + 2 * width
    narrow_n = -(-n // SINGLE_LANES) * SINGLE_LANES
    work = np.full(singles + (q + 1) * narrow_n // 2, np.nan)
    work[:q * n], work[q * n:(q + 1) * n] = A.ravel(), h
    work[vector:vector + q] = w
    few.combine(work, 0, n, q, work, vector, (q + 1) * n, n)
    close(work[(q + 1) * n:(q + 2) * n], A.T @ w)
    few.project(work, 0, n, q, q * n, work, vector, n)
    close(work[vector:vector + q], A @ h)
    few.clear(work, U, q * width)
    hessian.add_gram(work, 0, n, q, q * n, n, U, width)
    assert few.square(work, 0, n, q, n) == pytest.approx((A * A).sum())
    H = work[U:U + q * width].reshape(q, width)[:, :q]
    close(np.triu(H), np.triu((A * h) @ A.T), 1e-11)
    few.clear(work, U, q * width)
    for j in range(q + 1):
        square = narrow_vector(
            work, j * n, 2 * singles + j * narrow_n, n
        )
        assert square == pytest.approx(work[j * n:(j + 1) * n] @ work[
            j * n:(j + 1) * n
        ])
    narrow_h = 2 * singles + q * narrow_n
    hessian.add_single_gram(
        work, 2 * singles, narrow_n, q, narrow_h, n, U, width
    )
    assert 0 < abs(np.triu(H - (A * h) @ A.T)).max() < 3e-7 * n


@pytest.mark.parametrize("correlation, trusted", [
    (0.999, True), (0.99999, False),
])
def test_a_factor_says_whether_its_pivots_are_large(correlation, trusted):
    """They are 1 and 1 - correlation^2 of the diagonal."""
    work = np.zeros(6 * LANES)
    work[:2] = 1.0, correlation
    work[LANES + 1] = 1.0
    assert trusted == hessian.factorize(
        work, 0, LANES, 2, 3 * LANES, 4 * LANES, 1e-15
    )


@pytest.mark.parametrize("hard", ["none", "correlated", "huge", "tiny"])
def test_where_float32_is_not_enough_for_a_hessian(hard):
    X, y = design(300, 12)
    if hard == "correlated":
        X[:, 1] = X[:, 0] + 1e-6 * X[:, 1]
    scale = {"huge": 1e25, "tiny": 1e-30}.get(hard, 1.0)
    X, l2 = X * scale, 1e-3 * scale**2
    formed = fit_logistic(X, y, l2=l2, max_iter=1)[2]["n_gram"]
    assert formed == 1 + (hard != "none")
    w, b, info = fit_logistic(X, y, l2=l2, tol=1e-10)
    assert info["converged"], info
    assert certify(X, y, w, b, 0.0, l2, False).relative_gap <= 2e-10


@pytest.mark.parametrize("lanes", [4, 8])
@pytest.mark.parametrize("rows", [1, 2, 3, 4])
@pytest.mark.parametrize("diagonal", [False, True])
def test_tiles(rows, diagonal, lanes, monkeypatch):
    """Both forms of a tile, whichever it is that this CPU gets."""
    monkeypatch.setattr(simd_tiles, "SUM_LANES", lanes)
    tile = simd_tiles.make_tile(diagonal)
    n = 3 * LANES
    A, B = RNG.standard_normal((2, 4, n))
    h, old = RNG.random(n), RNG.random((4, 6))
    work = np.concatenate([x.ravel() for x in (A, B, h, old)])
    b, at = 0 if diagonal else 4 * n, 9 * n

    @njit
    def call(work):
        tile(work, 0, b, n, 8 * n, n // LANES, at, rows, 6)

    call(work)
    new = work[at:].reshape(4, 6)
    np.testing.assert_array_equal(new[:, 4:], old[:, 4:])
    for k in range(4):
        for i in range(4):
            if i < rows and (k <= i or not diagonal):
                added = A[i] * h @ (A if diagonal else B)[k]
                close(new[k, i], old[k, i] + added)


@pytest.mark.parametrize("q", [1, 2, 7, 8, 9, 30])
def test_factor(q):
    B = RNG.standard_normal((q, 2 * q)) * 10.0 ** RNG.uniform(-3, 3, (q, 1))
    H, ridge, r, r2 = B @ B.T, RNG.random(q), *RNG.standard_normal((2, q))
    width = (q + LANES) // LANES * LANES
    work = np.zeros((q + 4) * width)
    U = work[:q * width].reshape(q, width)
    U[:, :q], U[:, q] = np.triu(H), r
    R, inverse, z, d = np.arange(q, q + 4) * width
    work[R:R + q] = ridge
    hessian.factorize(work, 0, width, q, inverse, R, 1e-15)
    work[z:z + q] = U[:, q]
    hessian.substitute(work, 0, width, q, inverse, z, d)
    H = H + np.diag(ridge)
    scale = np.sqrt(np.diag(H))
    close((H @ work[d:d + q] - r) / scale, 0.0, 1e-10)
    work[z:z + q] = r2
    hessian.eliminate(work, 0, width, q, inverse, z)
    hessian.substitute(work, 0, width, q, inverse, z, d)
    close((H @ work[d:d + q] - r2) / scale, 0.0, 1e-10)


def test_singular_matrices_are_solved_in_part():
    work = np.zeros(6 * LANES)
    work[:2] = work[LANES + 1] = 1.0
    work[[2, LANES + 2]] = 1.0
    hessian.factorize(work, 0, LANES, 2, 3 * LANES, 4 * LANES, 1e-15)
    work[4 * LANES:4 * LANES + 2] = work[[2, LANES + 2]]
    hessian.substitute(work, 0, LANES, 2, 3 * LANES, 4 * LANES, 5 * LANES)
    assert work[5 * LANES:5 * LANES + 2].sum() == pytest.approx(1.0)
    work[:] = 0.0
    hessian.factorize(work, 0, LANES, 2, 3 * LANES, 4 * LANES, 1e-15)
    assert (work == 0).all()


def test_price_of_a_balanced_dual_point():
    m = np.concatenate([EXTREME, RNG.standard_normal(7) * 3])
    y, s = np.where(np.arange(16) % 3, 1.0, -1.0), naive.dual_weights(m)
    work = np.concatenate([y, m, s, np.empty(16)])
    c, sign = class_factor(y @ s, s.sum())
    price = few.scale_class(work, 0, 16, 32, 48, (c, sign), 16)
    assert work[48:] @ y == pytest.approx(0.0, abs=1e-14)
    heavy = y * sign > 0
    a, b = c * s[heavy], s[heavy]
    terms = (
        a * np.log(c) + (1 - a) * np.logaddexp(0.0, np.log1p(-c) - m[heavy])
    )
    assert price == pytest.approx(np.maximum(terms, 0).sum(), rel=1e-12)
    # the same as the divergence where that does not overflow
    inner = (b > 1e-9) & (b < 1 - 1e-9)
    a, b = a[inner], b[inner]
    divergence = a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))
    close(terms[inner], divergence, 1e-7)


@bare
def stream_once(data, y, where, x, work, H):
    """Read X once at x; return F without a penalty, the gradient in x."""
    fit = lay_out(
        samples_of(data, y, where, x.size > where[4]), 1e-300, 0.0, work
    )
    at = fit.at
    for j in range(x.size):
        work[at.w + j] = x[j]
    now = evaluate(fit, np.bool_(True))
    for j in range(x.size):
        x[j] = work[at.g + j]
        for k in range(x.size):
            H[j, k] = work[at.U + j * at.width + k]
    return now.value, now.mass, now.size


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, p", [(5, 3), (BLOCK, 8), (1001, 5)])
def test_a_pass(n, p, dtype, intercept):
    X, y = design(n, p, dtype)
    q = p + intercept
    work, H = np.full(streamed_size(q), np.nan), np.empty((q, q))
    x = RNG.standard_normal(q)
    A = X.astype(float)
    A = (np.hstack([A, np.ones((n, 1))]) if intercept else A) * y[:, None]
    m = A @ x
    s, h = naive.dual_weights(m), naive.curvature(m)
    value, mass, size = stream_once(
        X.ravel(), y, (0, p, 1, n, p, 0), x, work, H
    )
    close([value, mass, size], [naive.log_loss(m), s.sum(), (A * A).sum()])
    close(x, -A.T @ s, 1e-11)
    close(np.triu(H), np.triu(A.T @ (h[:, None] * A)), 1e-10)


@pytest.mark.parametrize("layout", ["C", "F", "float32", "columns"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("n, p, l2, regime", [
    (2, 1, 100.0, "few columns"), (3, 5, 1e-6, "few samples"),
    (4, 5, 1.0, "few columns"),
    (17, 2, 1.0, "few columns"), (501, 31, 1e-4, "few columns"),
    (3001, 7, 1e-8, "few columns"),
    (1401, 63, 1e-3, "few columns"), (45001, 1, 1.0, "streamed"),
    (40003, 3, 1e-8, "streamed"), (14001, 31, 10.0, "streamed"),
])
def test_odd_sizes(n, p, l2, regime, fit_intercept, layout):
    """What is streamed where X may not be copied is tiny where it may."""
    X, y = design(n, p)
    X = np.cumsum(X, axis=1) * 10.0 ** np.linspace(-1, 1, p) + 0.3
    y[:2] = -1.0, 1.0
    data = {
        "C": X, "F": np.asfortranarray(X), "float32": X.astype(np.float32),
        "columns": np.repeat(X, 2, axis=1)[:, ::2],
    }[layout]
    if layout == "columns":
        y = np.repeat(y, 2)[::2]
    before, labels = data.copy(), y.copy()
    for copy in (True, False) if regime == "streamed" else (True,):
        w, b, info = fit_logistic(
            data, y, l2=l2, fit_intercept=fit_intercept, float32_copy=copy
        )
        assert info["converged"], info
        is_tiny = copy and regime == "streamed"
        assert info["regime"] == ("few columns" if is_tiny else regime)
        np.testing.assert_array_equal(data, before)
        np.testing.assert_array_equal(y, labels)
        point = certify(
            data.astype(float), y, w, b, 0.0, l2, fit_intercept
        )
        assert point.relative_gap <= 2e-8
        assert info["objective"] == pytest.approx(point.value, rel=1e-10)


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("start", [1.0, -300.0])
@pytest.mark.parametrize("y_is", ["separable", "sorted", "one"])
def test_many_samples_of_hard_data(y_is, start, copy):
    """From any start, sorted classes, one sample of a class, separable."""
    X, y = design(30000, 10)
    if y_is == "one":
        y = np.where(np.arange(len(y)) == 7, 1.0, -1.0)
    else:
        score = X[:, 0] + (X[:, 1] if y_is == "sorted" else 0.0)
        y = np.where(score > 0, 1.0, -1.0)
        if y_is == "sorted":
            y[::9] *= -1.0
            X, y = X[np.argsort(y)], np.sort(y)
    for coef_init in (None, np.full(10, start)):
        w, b, info = fit_logistic(
            X, y, l2=1e-2, fit_intercept=True, coef_init=coef_init,
            float32_copy=copy,
        )
        # a stream may stall and L-BFGS go on
        assert (info["regime"] == "few columns") == copy
        assert info["converged"], info
        assert certify(X, y, w, b, 0.0, 1e-2, True).relative_gap <= 2e-8


def test_a_stream_that_stalls_goes_on_elsewhere():
    X, y = design(30000, 10)
    for copy in (True, False):
        info = fit_logistic(X, y, tol=0.0, float32_copy=copy)[2]
        assert not info["converged"]
        assert "float64 allows" in info["status"]
        assert info["relative_gap"] < 1e-12
        info = fit_logistic(X, y, max_iter=0, float32_copy=copy)[2]
        assert info["status"].endswith("iterations")


def test_a_larger_problem_is_streamed_in_any_case():
    X, y = design(230_000, 10)
    w, b, info = fit_logistic(X, y)
    assert info["converged"] and info["regime"] == "streamed"
    assert certify(X, y, w, b, 0.0, 1.0, False).relative_gap <= 2e-8


@pytest.mark.parametrize("n, q", [(5000, 20), (100_000, 20), (20_000, 100)])
def test_the_only_copy_is_in_float32(n, q):
    """But for 256 kB, and vectors: five of length n in float64."""
    room = 8 * workspace_size(n, q) - 4 * n * q - 5 * 8 * n
    assert room < 2**18 + 8 * n + 64 * q * q + 1000 * q


def test_the_direct_call_checks_its_arguments():
    X, y = design(20, 3)
    w = fit_logistic(X, y)[0]
    for again in (
        (np.asfortranarray(X), y), (np.repeat(X, 2, axis=0)[::2], y),
        (X, np.repeat(y, 2)[::2]), (X, y.astype(int)), (X, 2 * y),
        (X.astype(">f8"), y),
    ):
        np.testing.assert_allclose(fit_logistic(*again)[0], w, rtol=1e-6)
    frozen = X.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(fit_logistic(frozen, y)[0], w)
    assert fit_logistic(X, y, l2=1, max_iter=7)[2]["converged"]
    for bad, labels in ((X, y[:9]), (X[:0], y[:0]), (X, y * 0), (X[0], y)):
        with pytest.raises(ValueError):
            fit_logistic(bad, labels)
    with pytest.raises(ValueError, match="NaN or infinity"):
        fit_logistic(X * np.nan, y)


def test_vectors_are_values():
    """A vector crosses branches and loops like a number."""
    @njit
    def powers(a, count):
        total = simd.splat(1.0)
        for k in range(count):
            if k % 2 == 0:
                total = simd.mul(total, simd.load(a, 0))
            else:
                total = simd.add(total, simd.splat(0.5))
        simd.store(a, 8, total)
        return simd.total(total)

    a = np.arange(16.0)
    expected = (a[:8] + 0.5) * a[:8]
    assert powers(a, 3) == pytest.approx(expected.sum())
    np.testing.assert_allclose(a[8:], expected)


@pytest.mark.parametrize("n, l2", [
    (10, 1e-8), (10, 1e-3), (200, 1e-8), (200, 1e-3), (5000, 1e-3),
])
def test_margins_that_came_from_far_are_computed_anew(n, l2):
    """Updated by their changes alone, they claimed 1e-13 where it was 1."""
    X, y = design(n, 3)
    X[:, 1] *= 1e6
    x = RNG.standard_normal(3) * 10
    *_, status, gap, value = fit_tiny(
        X.ravel(), y, (0, 3, 1, n, 3, 0), l2, 1e-8, 1000,
        np.empty(workspace_size(n, 3)), x,
    )
    point = certify(X, y, x, 0.0, 0.0, l2, False)
    assert value == pytest.approx(point.value, rel=1e-10)
    assert status == REACHED
    assert point.relative_gap <= 2e-8


def test_a_start_that_is_worse_than_zero_is_not_used():
    X, y = design(50, 3)
    X[-1] *= 1e6
    for start in (np.full(3, 1e8), np.full(3, -1e300)):
        coef, _, info = fit_logistic(X, y, l2=1e-3, coef_init=start)
        np.testing.assert_array_equal(coef, fit_logistic(X, y, l2=1e-3)[0])
        assert info["converged"]
