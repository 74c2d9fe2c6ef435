"""The loss against naive formulas, and the same in every layout."""
import math

import numpy as np
import pytest
from numba import njit
from scipy import sparse

from benchmark_utils.baselines import logistic_numba as compiled
from benchmark_utils.problem import loss as logistic
from benchmark_utils.problem import products

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 7)) * (RNG.random((30, 7)) < 0.6)
Y = np.where(RNG.random(30) < 0.4, 1.0, -1.0)
W = RNG.standard_normal(7)
LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
    "csr_array": sparse.csr_array,
}
EXTREME = np.array([-800.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 800.0])


def naive(margin):
    """Loss and weight of one margin without overflow, in other words."""
    if margin < -700:
        return -margin, 1.0
    return math.log1p(math.exp(-margin)), 1 / (1 + math.exp(margin)) if (
        margin < 700
    ) else math.exp(-margin)


def test_extreme_margins():
    losses = [naive(m)[0] for m in EXTREME]
    weights = [naive(m)[1] for m in EXTREME]
    for i, m in enumerate(EXTREME):
        one = np.array([m])
        np.testing.assert_allclose(logistic.log_loss(one), losses[i])
        np.testing.assert_allclose(compiled.loss_at(m), losses[i])
        np.testing.assert_allclose(compiled.weight_at(m), weights[i])
    np.testing.assert_allclose(logistic.dual_weights(EXTREME), weights)
    curvature = logistic.curvature(EXTREME)
    assert np.isfinite(curvature).all()
    assert curvature.max() == 0.25
    # the smallest weights keep their relative accuracy
    assert logistic.dual_weights(np.array([700.0]))[0] == pytest.approx(
        math.exp(-700)
    )


def test_compiled_functions_are_the_numpy_ones():
    @njit
    def all_three(margins):
        return (
            logistic.log_loss(margins),
            logistic.dual_weights(margins),
            logistic.curvature(margins),
        )

    margins = np.concatenate([EXTREME, RNG.standard_normal(100) * 30])
    loss, weights, curvature = all_three(margins)
    np.testing.assert_allclose(loss, logistic.log_loss(margins))
    np.testing.assert_allclose(weights, logistic.dual_weights(margins))
    np.testing.assert_allclose(
        curvature, logistic.curvature(margins), rtol=1e-12
    )


def test_gradient_and_curvature_by_finite_differences():
    h = 1e-6
    b = 0.3
    margins = logistic.predict_margins(X, Y, W, b)
    grad, grad_b = logistic.gradient(X, Y, margins)

    def loss(w, b):
        return logistic.log_loss(logistic.predict_margins(X, Y, w, b))

    for j in range(len(W)):
        e = np.zeros(len(W))
        e[j] = h
        slope = (loss(W + e, b) - loss(W - e, b)) / (2 * h)
        assert grad[j] == pytest.approx(slope, abs=1e-7)
    slope = (loss(W, b + h) - loss(W, b - h)) / (2 * h)
    assert grad_b == pytest.approx(slope, abs=1e-7)
    numeric = (
        logistic.dual_weights(margins - h)
        - logistic.dual_weights(margins + h)
    ) / (2 * h)
    np.testing.assert_allclose(
        logistic.curvature(margins), numeric, atol=1e-8
    )


@pytest.mark.parametrize("block_bytes", [None, 8 * 7 * 4, 8])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_products_in_every_layout(layout, dtype, block_bytes, monkeypatch):
    if block_bytes is not None:
        monkeypatch.setattr(products, "_BLOCK_BYTES", block_bytes)
    single = X.astype(dtype)
    A = LAYOUTS[layout](single)
    before = A.copy()
    v = RNG.standard_normal(len(Y))
    # float32 data are exact numbers too: all products are in float64
    exact = single.astype(np.float64)
    np.testing.assert_allclose(
        logistic.matvec(A, W), exact @ W, atol=1e-14
    )
    np.testing.assert_allclose(
        logistic.rmatvec(A, v), exact.T @ v, atol=1e-14
    )
    assert abs(A - before).max() == 0
