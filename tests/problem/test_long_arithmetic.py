"""Pairs of float64 against decimals."""
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import sparse

import naive
from benchmark_utils.problem import long_arithmetic as pairs


def exact(pair):
    """Return the decimals that a pair of arrays is."""
    return [
        high + low
        for high, low in zip(*map(naive.numbers, pair), strict=True)
    ]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", [
    np.ascontiguousarray, np.asfortranarray, sparse.csr_matrix,
    sparse.csc_matrix, sparse.csr_array,
])
def test_products(layout, dtype, monkeypatch):
    monkeypatch.setattr(pairs, "_BLOCK_BYTES", 2000)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 17)) * 10.0 ** rng.uniform(-8, 8, 17)
    X[3] *= 1e8
    X[rng.random(X.shape) < 0.3] = 0.0
    X = X.astype(dtype)
    w, a = rng.standard_normal(17) * 1e3, rng.random(60) ** 9
    v = w, w * 1e-17 * rng.standard_normal(17)
    s = a, a * 1e-17 * rng.standard_normal(60)
    with localcontext() as context:
        context.prec = naive.DIGITS
        for A, got, given in (
            (X, pairs.matvec(layout(X), v), exact(v)),
            (X.T, pairs.rmatvec(layout(X), s), exact(s)),
        ):
            for row, number in zip(naive.numbers(A), exact(got), strict=True):
                terms = [x * y for x, y in zip(row, given, strict=True)]
                error = abs(number - sum(terms))
                assert error <= Decimal(pairs.UNIT) * sum(map(abs, terms))


def test_sigmoid():
    rng = np.random.default_rng(0)
    m = np.concatenate([
        rng.standard_normal(50), 100 * rng.standard_normal(50),
        [0.0, -0.0, 600.0, -600.0, 1e-300, -1e-20, 800.0, -800.0],
    ])
    low = 1e-17 * m * rng.standard_normal(len(m))
    with localcontext() as context:
        context.prec = naive.DIGITS
        margins = [-number for number in exact((m, low))]
        for got, margin in zip(
            exact(pairs.sigmoid((m, low))), margins, strict=True
        ):
            right = naive.weight_of(margin)
            # exp(-600) in pairs has its last digits below the range
            assert abs(got - right) <= Decimal(pairs.UNIT) * right + (
                Decimal(2) ** -1021 if margin > 500 else 0
            )


def test_a_sum_keeps_what_cancels():
    values = np.array([1e30, 1.0, -1e30, 1e-20])
    assert pairs.total((values, np.zeros(4))) == (1.0, 1e-20)
