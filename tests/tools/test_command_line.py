"""benchopt as a user types it, in a fresh copy of the repository."""
import re

import pandas as pd

RUN = ["run", ".", "--no-display", "--no-plot", "--output", "tried"]
LIAR = '''
import numpy as np
from benchopt import BaseSolver


class Solver(BaseSolver):
    """Claims to have solved it."""

    name = "{name}"
    sampling_strategy = "iteration"

    def set_objective(self, X, y, lmbd1, lmbd2, fit_intercept):
        self.p = X.shape[1]

    def run(self, n_iter):
        self.result = {result}

    def get_result(self):
        return dict({returned})
'''
DATASET = '''
import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    name = "{name}"

    def get_data(self):
        {body}
'''
PLAIN = '''
import numpy as np
from benchopt import BaseSolver
from scipy.optimize import minimize


class Solver(BaseSolver):
    """A user's own solver, which knows nothing of this benchmark."""

    name = "my-bfgs"
    sampling_strategy = "iteration"

    def skip(self, X, y, lmbd1, lmbd2, fit_intercept):
        if lmbd1 or fit_intercept or not isinstance(X, np.ndarray):
            return True, "dense L2 without intercept only"
        return False, None

    def set_objective(self, X, y, lmbd1, lmbd2, fit_intercept):
        self.A, self.lmbd2 = y[:, None] * X, lmbd2

    def run(self, n_iter):
        def f(w):
            return (np.logaddexp(0, -self.A @ w).sum()
                    + self.lmbd2 / 2 * w @ w)

        self.w = minimize(f, np.zeros(self.A.shape[1]),
                          options=dict(maxiter=n_iter)).x

    def get_result(self):
        return dict(coef=self.w)
'''


def results(folder, name="tried"):
    return pd.read_parquet(folder / "outputs" / f"{name}.parquet")


def add_liar(folder, name, result, returned="coef=self.result"):
    (folder / "solvers" / f"{name}.py").write_text(
        LIAR.format(name=name, result=result, returned=returned)
    )


def add_dataset(folder, name, body):
    (folder / "datasets" / f"{name}.py").write_text(
        DATASET.format(name=name, body=body)
    )


def test_run_and_read_back(copy, benchopt):
    output = benchopt(
        copy, "run", ".", "--no-display", "--output", "tried",
        "-d", "correlated[n_samples=80,n_features=5]", "-s", "raw-newton",
        "-s", "proximal-gradient[accelerated=True,compiled=False,step=fixed]",
        "-o", "Logistic regression[l1=[0,0.1],l2=0.5,fit_intercept=True]",
        "-n", "200", BENCHOPT_RAISE_ON_ERROR="1",
    )
    assert "Warning" not in output
    df = results(copy)
    for name in (
        "value", "lower_bound", "relative_gap", "kkt", "n_nonzeros",
        "test_log_loss", "test_accuracy", "coef_error",
    ):
        column = df[f"objective_{name}"]
        assert column.notna().all(), name
        assert pd.api.types.is_numeric_dtype(column), name
    assert (df["objective_lower_bound"] <= df["objective_value"]).all()
    solved = df.groupby(["objective_name", "solver_name"])
    # raw-newton refuses the elastic net
    assert len(solved) == 3
    assert (solved["objective_relative_gap"].min() < 1e-9).all()
    assert "does not handle the elasticnet penalty" in output
    page = next((copy / "outputs").glob("*tried*.html")).read_text()
    assert "Certified gap over time" in page


def test_liars_are_caught_and_cost_nobody_else(copy, benchopt):
    add_liar(copy, "optimist", "np.full(self.p, 0.1)")
    add_liar(copy, "nan-maker", "np.full(self.p, np.nan)")
    add_liar(copy, "misshapen", "np.zeros(self.p + 1)")
    add_liar(copy, "talker", "'converged'")
    add_liar(copy, "stranger", "0", "beta=np.zeros(self.p)")
    output = benchopt(
        copy, *RUN, "-d", "breast_cancer", "-n", "20", "-s", "raw-newton",
        *[word for name in (
            "optimist", "nan-maker", "misshapen", "talker", "stranger"
        ) for word in ("-s", name)],
    )
    df = results(copy)
    assert set(df["solver_name"]) == {"raw-newton", "optimist"}
    best = df.groupby("solver_name")["objective_relative_gap"].min()
    assert best["raw-newton"] < 1e-10
    # whatever it says, the certificate shows where it is
    assert best["optimist"] > 0.1
    for name, complaint in {
        "nan-maker": "30 of 30 coefficients are NaN",
        "misshapen": r"coef has shape \(31,\), expected \(30,\)",
        "talker": "coef is str",
        "stranger": r"get_result returned the keys \['beta'\]",
    }.items():
        assert re.search(f"{name}: {complaint}", output), complaint
        assert re.search(rf"{name}:.*error", output), name


def test_bad_datasets_are_skipped_with_a_reason(copy, benchopt):
    add_dataset(copy, "offline", "raise OSError('no network: try later')")
    add_dataset(
        copy, "holes", "return dict(X=np.full((4, 2), np.nan), y=[0, 1] * 2)"
    )
    add_dataset(
        copy, "alone", "return dict(X=np.ones((4, 2)), y=[1, 1, 1, 1])"
    )
    output = benchopt(
        copy, *RUN, "-d", "offline", "-d", "holes", "-d", "alone",
        "-d", "breast_cancer", "-s", "raw-newton", "-n", "20",
    )
    df = results(copy)
    assert set(df["dataset_name"].str.split("[").str[0]) == {"breast_cancer"}
    for reason in (
        "offline could not be loaded: OSError: no network: try later",
        "X contains NaN or infinity: impute or drop",
        "y has the single class",
    ):
        assert reason in output
    assert "Traceback" not in output


def test_no_penalty_is_skipped_and_the_rest_goes_on(copy, benchopt):
    output = benchopt(
        copy, *RUN, "-d", "breast_cancer", "-s", "raw-newton", "-n", "20",
        "-o", "Logistic regression[l1=0,l2=[0,1]]",
    )
    assert "no penalty at all (l1=0 and l2=0)" in output
    assert set(results(copy)["p_obj_l2"]) == {1}


def test_a_dropped_file_is_picked_up_run_and_shown(copy, benchopt, tmp_path):
    (copy / "solvers" / "my_bfgs.py").write_text(PLAIN)
    benchopt(
        copy, "run", ".", "--no-display", "--output", "tried",
        "-d", "simulated[n_samples=200,n_features=10]", "-s", "my-bfgs",
        "-n", "30",
    )
    # its gradient is by finite differences
    assert results(copy)["objective_relative_gap"].min() < 1e-8
    page = next((copy / "outputs").glob("*tried*.html")).read_text()
    assert "my-bfgs" in page
    # and as a file from elsewhere
    (copy / "solvers" / "my_bfgs.py").rename(tmp_path / "elsewhere.py")
    benchopt(
        copy, *RUN[:-1], "outside", "-s", str(tmp_path / "elsewhere.py"),
        "-d", "simulated[n_samples=200,n_features=10]", "-n", "30",
    )
    assert set(results(copy, "outside")["solver_name"]) == {"my-bfgs"}


def test_benchopts_own_tests(copy, benchopt):
    output = benchopt(copy, "test", ".", "--skip-install", "-rs")
    skipped = [line for line in output.splitlines() if "SKIPPED" in line]
    # tests that would build conda environments, and those of solvers whose
    # libraries are not there: `make test-solvers` runs these
    assert all(
        "Skipping installs" in line or "Solver is not installed" in line
        for line in skipped
    ), skipped
    assert re.search(r"\d+ passed", output)
