"""One name for each pass over the data, whatever the layout of the data is.

In compiled code these functions are the dense ones for an array and the
sparse ones for `sparse_passes.Rows`, so that a solver is written once.
"""
from numba import types
from numba.extending import overload

from benchmark_utils import dense_passes, gram_kernel, sparse_passes


def _is_sparse(X):
    return isinstance(X, types.BaseNamedTuple)


def hessian_product(A, rows, count, v, shift, h, out, products, scaled):
    """out += A' diag(h) (A v + shift); see `dense_passes`."""


@overload(hessian_product)
def _hessian_product(A, rows, count, v, shift, h, out, products, scaled):
    one = (sparse_passes if _is_sparse(A) else dense_passes).hessian_product

    def call(A, rows, count, v, shift, h, out, products, scaled):
        return one(A, rows, count, v, shift, h, out, products, scaled)

    return call


def products_only(A, rows, count, v, shift, products):
    """products[i] = A[i] @ v + shift for the first `count` rows."""


@overload(products_only)
def _products_only(A, rows, count, v, shift, products):
    one = (sparse_passes if _is_sparse(A) else dense_passes).dots

    def call(A, rows, count, v, shift, products):
        one(A, rows, 0, count, v, shift, products)

    return call


def transposed_product(A, rows, c, out):
    """out += A' c over all rows; c has the dtype of out."""


@overload(transposed_product)
def _transposed_product(A, rows, c, out):
    one = (sparse_passes if _is_sparse(A) else dense_passes).add_rows

    def call(A, rows, c, out):
        one(A, rows, 0, rows.size, c, out)

    return call


def exact_gradient(X, y, rows, w, b, m, s, h, r, out):
    """Margins, weights and gradient in float64; see `dense_passes`."""


@overload(exact_gradient)
def _exact_gradient(X, y, rows, w, b, m, s, h, r, out):
    one = (sparse_passes if _is_sparse(X) else dense_passes).exact_gradient

    def call(X, y, rows, w, b, m, s, h, r, out):
        return one(X, y, rows, w, b, m, s, h, r, out)

    return call


def add_squares(A, rows, count, h, out):
    """out[j] += sum of h[i] A[i, j]^2 over the first `count` rows."""


@overload(add_squares)
def _add_squares(A, rows, count, h, out):
    one = (sparse_passes if _is_sparse(A) else dense_passes).add_squares

    def call(A, rows, count, h, out):
        one(A, rows, count, h, out)

    return call


def weighted_gram(X, p, roots, rows, count, intercept, panel, C):
    """X' diag(roots^2) X over some rows; see `gram_kernel`."""


@overload(weighted_gram)
def _weighted_gram(X, p, roots, rows, count, intercept, panel, C):
    if _is_sparse(X):
        one = sparse_passes.weighted_gram
    else:
        one = gram_kernel.weighted_gram

    def call(X, p, roots, rows, count, intercept, panel, C):
        one(X, p, roots, rows, count, intercept, panel, C)

    return call
