"""Full sparse columns far from zero are centred, nothing else is."""
import numpy as np
import pytest
from scipy import sparse

from benchmark_utils.fenchel.fit import fit_logistic
from benchmark_utils.fenchel.linalg.full_columns import centre_full_columns
from benchmark_utils.problem.certificate import certify
from sparse_fits import prepared


def with_full_columns(rng, n=60, p=12):
    X = sparse.random(n, p, 0.2, random_state=rng, format="lil")
    X[:, 3] = 1.7e9 + rng.standard_normal((n, 1))
    X[:, 7] = rng.standard_normal((n, 1))
    X[:, 9] = -1e7
    return X


@pytest.mark.parametrize("form", [
    "csr_matrix", "csc_matrix", "csr_array", "csc_array", "unsorted",
    "float32", "long indices",
])
def test_full_columns_are_centred(form):
    X = with_full_columns(np.random.default_rng(0)).tocsr()
    if form == "unsorted":
        for i in range(X.shape[0]):
            part = slice(X.indptr[i], X.indptr[i + 1])
            X.indices[part] = X.indices[part][::-1].copy()
            X.data[part] = X.data[part][::-1].copy()
        X.has_sorted_indices = False
    elif form == "float32":
        X = X.astype(np.float32)
    elif form == "long indices":
        X.indices = X.indices.astype(np.int64)
        X.indptr = X.indptr.astype(np.int64)
    else:
        X = getattr(sparse, form)(X)
    X = prepared(X)
    before = X.copy()
    centred, middles = centre_full_columns(X)
    assert np.flatnonzero(middles).tolist() == [3, 9]
    assert centred.format == X.format and type(centred) is type(X)
    assert centred.nnz == X.nnz
    back = centred.toarray() + middles * (X.toarray() != 0)
    np.testing.assert_array_equal(back, X.toarray())
    assert abs(centred.toarray()[:, [3, 9]]).max() < 200.0
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(
            getattr(X, name), getattr(before, name)
        )


def test_what_is_not_full_stays():
    rng = np.random.default_rng(0)
    X = with_full_columns(rng).tocsr()
    # one row without, and one row twice instead
    X[5, 3] = 0.0
    X.eliminate_zeros()
    X[:, 9] = 0.0
    X.eliminate_zeros()
    assert centre_full_columns(X) == (None, None)
    column = np.r_[0, 0, np.arange(2, 8)]
    twice = sparse.csc_matrix(
        (np.full(8, 1e9), column, [0, 8]), shape=(8, 1)
    ).tocsr()
    assert centre_full_columns(twice) == (None, None)
    rows = sparse.csr_matrix(
        (np.full(8, 1e9), np.zeros(8, int), [0, 2, 2, 3, 4, 5, 6, 7, 8]),
        shape=(8, 1),
    )
    assert centre_full_columns(rows) == (None, None)
    assert centre_full_columns(sparse.csr_matrix((5, 3))) == (None, None)


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("kind", ["unsorted", "repeated"])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_fit_sorts_nothing_of_the_caller(kind, frozen, compile):
    """SciPy sums and sorts in place for abs and others."""
    rng = np.random.default_rng(0)
    X = with_full_columns(rng, 150, 80).tocsr()
    for i in range(X.shape[0]):
        part = slice(X.indptr[i], X.indptr[i + 1])
        order = rng.permutation(part.stop - part.start)
        X.indices[part] = X.indices[part][order]
        X.data[part] = X.data[part][order]
    if kind == "repeated":
        X = sparse.csr_matrix(
            (np.repeat(0.5 * X.data, 2), np.repeat(X.indices, 2),
             2 * X.indptr), shape=X.shape,
        )
    X.has_sorted_indices = False
    y = np.where(rng.random(150) < 0.4, 1.0, -1.0)
    before = X.copy()
    for array in (X.data, X.indices, X.indptr, y):
        array.flags.writeable = not frozen
    for max_iter in (3, 1000):
        coef, b, info = fit_logistic(
            X, y, fit_intercept=True, max_iter=max_iter, compile=compile
        )
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(
                getattr(X, name), getattr(before, name)
            )
        again = certify(before, y, coef, b, 0.0, 1.0, True)
        assert info["objective"] == pytest.approx(again.value, rel=1e-6)
    assert info["converged"] or kind == "repeated"
