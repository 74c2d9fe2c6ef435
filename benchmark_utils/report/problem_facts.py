"""What kind of problem it is: its size, density and condition number.

Recorded with every curve (`provenance`), so that results can be summed up by
kind of problem without loading the data again.
"""
import time

import numpy as np
from scipy import sparse

# The condition number is computed where it costs about a second at most
MOST_SINGULAR_VALUES = 2000
MOST_OPERATIONS = 1e11
# Singular values below this share of the largest count as zero: they come
# from eigenvalues of X'X, which are known to 1e-16 of the largest
SMALLEST_SHARE = 1e-7
# Rows that are turned into float64 at once
BLOCK_ENTRIES = 2**22

#: kinds of problems, by a test of their facts; one problem may be of several
KINDS = {
    "tiny": lambda one: one["n_samples"] * one["n_features"] <= 4096,
    "tall": lambda one: one["n_samples"] >= 10 * one["n_features"]
    and one["n_samples"] * one["n_features"] > 4096,
    "wide": lambda one: one["n_features"] > one["n_samples"],
    "sparse": lambda one: one["nonzero"] <= 0.1,
    "ill-conditioned": lambda one: (one["condition"] or 1) >= 1e3,
}
#: the same in words
DEFINITIONS = {
    "tiny": "n p at most 4096",
    "tall": "n at least 10 p, not tiny",
    "wide": "p > n",
    "sparse": "at most 10 % of X nonzero",
    "ill-conditioned": "the largest singular value of X at least 1000 "
    "times the smallest",
}


def describe(X):
    """Facts of a design, numbers only.

    Parameters
    ----------
    X : array or sparse array of shape (n_samples, n_features), or a batch

    Returns
    -------
    dict
        `n_problems`; `n_samples` and `n_features` (of a batch: of its largest
        problem); `nonzero`, the share of X; `condition`, the largest singular
        value over the smallest that is not zero, or None where it would take
        long; `pass_seconds`, the time of one X @ w and one X.T @ r.
    """
    if hasattr(X, "designs"):
        facts = [describe(one) for one in X.designs[:1]]
        return facts[0] | dict(
            n_problems=X.n_problems,
            n_samples=int(max(len(one) for one in X.designs)),
            n_features=int(max(one.shape[1] for one in X.designs)),
        )
    n, p = X.shape
    count = X.nnz if sparse.issparse(X) else np.count_nonzero(X)
    return dict(
        n_problems=1, n_samples=int(n), n_features=int(p),
        nonzero=float(count / (n * p)), condition=_condition(X),
        pass_seconds=_pass_seconds(X),
    )


def _pass_seconds(X):
    """Seconds of X @ w and X.T @ r, the least of several tries."""
    w, r = np.ones(X.shape[1], X.dtype), np.ones(X.shape[0], X.dtype)
    tries = []
    for _ in range(5):
        started = time.perf_counter()
        X @ w
        X.T @ r
        tries.append(time.perf_counter() - started)
    return min(tries)


def _condition(X):
    smaller = min(X.shape)
    if smaller > MOST_SINGULAR_VALUES:
        return None
    if X.shape[0] * X.shape[1] * smaller > MOST_OPERATIONS:
        return None
    eigenvalues = np.linalg.eigvalsh(_gram(X))
    largest = eigenvalues[-1]
    kept = eigenvalues[eigenvalues > SMALLEST_SHARE**2 * largest]
    return float(np.sqrt(largest / kept[0])) if len(kept) else None


def _gram(X):
    """X'X or XX', whichever is smaller, in float64."""
    if sparse.issparse(X):
        X = X.astype(np.float64)
        X = X.T if X.shape[0] < X.shape[1] else X
        return (X.T @ X).toarray()
    X = X.T if X.shape[0] < X.shape[1] else X
    gram = np.zeros((X.shape[1], X.shape[1]))
    step = max(1, BLOCK_ENTRIES // X.shape[1])
    for start in range(0, X.shape[0], step):
        block = np.asarray(X[start:start + step], dtype=np.float64)
        gram += block.T @ block
    return gram


def kinds_of(facts):
    """The names of the kinds that a problem is of."""
    return [name for name, test in KINDS.items() if test(facts)]
