"""What the generated datasets are made of."""
import numpy as np
from scipy import sparse

from benchmark_utils.problem.loss import dual_weights


def draw_labels(rng, scores):
    """Labels -1 and +1 from the logistic model, of both kinds.

    Where all come out equal, as in tiny problems, the sample with the lowest
    or the highest score gets the other label.

    Parameters
    ----------
    rng : numpy.random.Generator
    scores : array of shape (n_samples,), n_samples at least 2
    """
    y = np.where(rng.random(len(scores)) < dual_weights(-scores), 1.0, -1.0)
    if (y > 0).all():
        y[scores.argmin()] = -1.0
    if (y < 0).all():
        y[scores.argmax()] = 1.0
    return y


def power_law_rows(rng, n_samples, n_features, words, exponent):
    """Tf-idf of texts whose words are drawn from a power law.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_samples, n_features : int
    words : float
        Mean number of words of a text; the numbers are geometric.
    exponent : float

    Returns
    -------
    CSR matrix of shape (n_samples, n_features), float64
        Rows of norm one; columns in no particular order.
    """
    lengths = rng.geometric(1 / words, n_samples)
    frequency = (np.arange(n_features) + 2.7) ** -exponent
    below = np.cumsum(frequency / frequency.sum())
    words_drawn = below.searchsorted(rng.random(lengths.sum()))
    words_drawn = rng.permutation(n_features)[
        np.minimum(words_drawn, n_features - 1)
    ]
    X = sparse.csr_matrix(
        (
            np.ones(len(words_drawn)), words_drawn,
            np.concatenate([[0], np.cumsum(lengths)]),
        ),
        shape=(n_samples, n_features),
    )
    X.sum_duplicates()
    in_rows = np.bincount(X.indices, minlength=n_features)
    X.data *= (1 + np.log((1 + n_samples) / (1 + in_rows)))[X.indices]
    squares = np.add.reduceat(X.data**2, X.indptr[:-1])
    X.data /= np.repeat(np.sqrt(squares), np.diff(X.indptr))
    return X


def adversarial_problem(rng, case, grow=1):
    """A small problem that breaks what is not careful.

    =================  ===================================================
    duplicates         every column twice
    constants          columns that are constant, at 0.1, 1 and 1e3
    zeros              a third of the columns is zero
    unscaled           column scales from 1e-6 to 1e6
    nearly_separable   a single sample on the wrong side
    separable          no sample on the wrong side: without a penalty, no
                       minimiser
    imbalanced         1 % positives
    wide               p = 50 n
    tall               n = 1000 p
    one_feature        p = 1
    one_per_class      n = 2
    =================  ===================================================

    Parameters
    ----------
    rng : numpy.random.Generator
    case : str
    grow : int
        Multiplies n, and p with it; in the last four cases the one of them
        that is not small.

    Returns
    -------
    X : array of shape (n_samples, n_features)
    y : array of shape (n_samples,), values -1 and +1

    Raises
    ------
    ValueError
        For an unknown case.
    """
    if case not in SHAPES:
        raise ValueError(
            f"case={case!r} is unknown: choose among {', '.join(SHAPES)}."
        )
    if isinstance(grow, bool) or not isinstance(grow, int) or grow < 1:
        raise ValueError(f"grow={grow} must be a whole number from 1 on.")
    (n, grows_n), (p, grows_p) = SHAPES[case]
    n, p = n * grow**grows_n, p * grow**grows_p
    X = rng.standard_normal((n, p))
    scores = X @ (rng.standard_normal(p) * 2 / np.sqrt(p))
    if case in ("separable", "nearly_separable", "one_per_class"):
        # the median has as many scores on either side
        y = np.where(scores > np.median(scores), 1.0, -1.0)
        if case == "nearly_separable":
            y[scores.argmax()] = -1.0
    elif case == "imbalanced":
        y = np.where(scores >= np.sort(scores)[-max(n // 100, 1)], 1.0, -1.0)
        # not separable: a third of the positives anywhere
        positive = np.flatnonzero(y > 0)
        moved = positive[:len(positive) // 3]
        y[moved] = -1.0
        y[rng.choice(np.flatnonzero(y < 0), len(moved), replace=False)] = 1.0
    else:
        y = draw_labels(rng, scores)
    if case == "duplicates":
        X[:, p // 2:] = X[:, :p // 2]
    elif case == "constants":
        for j, constant in enumerate([0.1, 1.0, 1e3]):
            X[:, j::10] = constant
    elif case == "zeros":
        X[:, ::3] = 0.0
    elif case == "unscaled":
        X *= 10.0 ** np.linspace(-6, 6, p)[rng.permutation(p)]
    return X, y


# case: (n, whether it grows), (p, whether it grows)
SHAPES = {
    "duplicates": ((100, 1), (20, 1)),
    "constants": ((100, 1), (20, 1)),
    "zeros": ((100, 1), (21, 1)),
    "unscaled": ((100, 1), (20, 1)),
    "nearly_separable": ((100, 1), (10, 1)),
    "separable": ((100, 1), (10, 1)),
    "imbalanced": ((1000, 1), (10, 1)),
    "wide": ((20, 0), (1000, 1)),
    "tall": ((2000, 1), (2, 0)),
    "one_feature": ((100, 1), (1, 0)),
    "one_per_class": ((2, 0), (10, 1)),
}
