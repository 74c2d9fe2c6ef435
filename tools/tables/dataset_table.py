"""Print the table of datasets, computed from the data themselves.

    python -m tools.tables.dataset_table [--write docs/datasets.md]

With --write, what stands between the lines ``<!-- datasets: start -->`` and
``<!-- datasets: end -->`` of that file is replaced. Needs
requirements-data.txt; a minute.
"""
import numpy as np
from benchopt.benchmark import Benchmark
from scipy import sparse

from benchmark_utils.wiring.benchopt_private import attach
from tools import ROOT
from tools.tables.markdown import parser, show_or_write
from tools.tables.markdown import table as table_of

HEADER = [
    "name", "source", "n", "p", "nonzero", "positive", "condition number",
    "licence of the data", "stands for",
]
# The largest number of singular values that is computed, in seconds
MOST_SINGULAR_VALUES = 1700
NOT_ONE_PROBLEM = ("libsvm", "openml", "file")


def describe(cls, most=MOST_SINGULAR_VALUES):
    """One row of the table, a list of nine strings.

    Parameters
    ----------
    cls : benchopt dataset class
    most : int
        From which min(n, p) on there is no condition number, but only a look
        for equal rows or columns.
    """
    source, *about = (
        getattr(cls, what, "") for what in ("source", "licence", "stands_for")
    )
    name = [f"`{cls.name}`", source]
    if cls.name in NOT_ONE_PROBLEM:
        return name + ["any"] * 5 + about
    problems = []
    for one in variants(cls):
        X, y = load(cls, **one)
        # a batch is described problem by problem
        problems += X.split(y) if hasattr(X, "split") else [(X, y)]
    columns = [
        spread([X.shape[0] for X, _ in problems], "d"),
        spread([X.shape[1] for X, _ in problems], "d"),
        spread([nonzero_share(X) for X, _ in problems], ".2g"),
        spread([positive_share(y) for _, y in problems], ".2g"),
    ]
    if len(problems) > 1:
        numbers = [condition(X)[0] for X, _ in problems]
        return name + columns + [spread(numbers, ".1g")] + about
    X, _ = problems[0]
    found = condition_text(X, most, np.finfo(float).eps * max(X.shape))
    scaling = cls.parameters.get("scaling", ["raw"])[0]
    if scaling != "raw":
        X, _ = load(cls, scaling=scaling)
        # centring leaves rounding errors of the column's mean
        found += f"; {scaling} {condition_text(X, most, 1e-10)}"
    return name + columns + [found] + about


def variants(cls):
    """The parameters of the problems that a row is about."""
    for name in ("case", "sizes"):
        if name in cls.parameters:
            return [{name: value} for value in cls.parameters[name]]
    if "n_samples, n_features" in cls.parameters:
        n, p = cls.parameters["n_samples, n_features"][-1]
        return [dict(n_samples=n, n_features=p)]
    return [{}]


def load(cls, **parameters):
    """X and y with all samples, raw unless told otherwise."""
    if "scaling" in cls.parameters:
        parameters = dict(scaling="raw", test_share=0.0) | parameters
    one = cls.get_instance(**parameters)
    attach(dataset=one)
    data = one.get_data()
    return data["X"], np.asarray(data["y"])


def spread(values, form):
    low, high = short(min(values), form), short(max(values), form)
    return low if low == high else f"{low} to {high}"


def short(value, form):
    return f"{value:{form}}".replace("e+0", "e").replace("e+", "e")


def positive_share(y):
    return (y == np.unique(y)[-1]).mean()


def nonzero_share(X):
    count = (
        X.count_nonzero() if sparse.issparse(X) else np.count_nonzero(X)
    )
    return count / X.shape[0] / X.shape[1]


def condition(X, tolerance=1e-14):
    """Largest over smallest singular value above `tolerance`; their number.

    `tolerance` is a fraction of the largest one.
    """
    A = X.toarray() if sparse.issparse(X) else X
    if A.shape[0] < A.shape[1]:
        A = A.T
    s = np.linalg.svd(np.linalg.qr(A, mode="r"), compute_uv=False)
    rank = int((s > tolerance * s[0]).sum())
    return s[0] / s[rank - 1], rank


def condition_text(X, most, tolerance):
    if min(X.shape) <= most:
        number, rank = condition(X, tolerance)
        text = short(number, ".1g")
        return text if rank == min(X.shape) else f"{text} (rank {rank})"
    by_rows = X.shape[0] < X.shape[1]
    if has_equal_rows(X if by_rows else X.T):
        return f"singular (equal {'rows' if by_rows else 'columns'})"
    return "not computed"


def has_equal_rows(X):
    """Whether two rows have the same product with a random vector."""
    # CSR, which adds up equal rows in the same order
    X = X.tocsr() if sparse.issparse(X) else X
    product = X @ np.random.default_rng(0).random(X.shape[1])
    return len(np.unique(product)) < len(product)


def table(most=MOST_SINGULAR_VALUES):
    classes = sorted(
        Benchmark(ROOT).get_datasets(), key=lambda cls: cls.name
    )
    return table_of([HEADER, *(describe(cls, most) for cls in classes)])


def rows_of(text):
    """The cells of each row of a table, by the first of them."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.strip().splitlines()[2:]
    ]
    return {row[0]: row for row in rows}


def main():
    show_or_write(parser(__doc__).parse_args().write, table(), "datasets")


if __name__ == "__main__":
    main()
