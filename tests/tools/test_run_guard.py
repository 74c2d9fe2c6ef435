"""A library that hangs or crashes costs its own result only."""
import re
import subprocess
import sys

import pandas as pd
import pytest

from benchmark_utils.report import not_run
from conftest import ROOT
from tools.run import run_benchmark

BAD = '''
import ctypes
import time

import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.benchopt_private import repetition


class Solver(LogisticSolver):
    """Does what no library should."""

    name = "bad"
    sampling_strategy = "iteration"
    parameters = {"how": ["hangs", "crashes", "raises", "refuses", "good"]}

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        return self.how == "refuses", "it does not like this"

    def solve(self, n_iter):
        # the second repetition, after the first one went well
        if repetition(self) == 1:
            if self.how == "hangs":
                # with Python's lock, as a C library does
                ctypes.PyDLL(None).sleep(3600)
            if self.how == "crashes":
                ctypes.string_at(0)
            if self.how == "raises":
                raise ArithmeticError("one is not two")
        self.coef = np.zeros(self.X.shape[1])
'''


@pytest.fixture(scope="module")
def ended(make_copy, tmp_path_factory):
    """The output of a run with bad solvers, and its result."""
    folder = make_copy(tmp_path_factory.mktemp("guard"))
    (folder / "solvers" / "bad.py").write_text(BAD)
    done = subprocess.run(
        [
            sys.executable, "-m", "tools.run.run_benchmark",
            "--hard-limit", "15", "--strict",
            "-d", "simulated[n_samples=10,n_features=2]", "-s", "bad",
            "-s", "cuml", "-n", "3", "-r", "2", "--no-display",
            "--output", "tried",
        ],
        cwd=folder, capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL,
    )
    output = done.stdout.replace("\r", "\n")
    assert done.returncode == 1 and "Failed: 3" in output, output + done.stderr
    return output, folder / "outputs" / "tried.parquet"


def test_the_others_have_all_their_results(ended):
    output, result = ended
    df = pd.read_parquet(result)
    curves = df.groupby("solver_name")["idx_rep"].nunique()
    assert curves["bad[how=good]"] == 2
    # what had ended before is not lost
    for how in ("hangs", "crashes", "raises"):
        assert curves[f"bad[how={how}]"] == 1
    assert "bad[how=refuses]" not in curves


def test_the_terminal_says_what_happened(ended):
    output, _ = ended
    (hung,) = re.findall(r"bad\[how=hangs\] on simulated.*", output)
    assert "it did not return within 15 s. The run goes on" in hung
    (crashed,) = re.findall(r"bad\[how=crashes\] on simulated.*", output)
    assert "ended the whole process (signal 11, SIGSEGV)" in crashed
    assert "Reason: ArithmeticError: one is not two" in output
    # a log has no colours, a line a finished curve, and the failures last
    assert "\033" not in output and "reps)" not in output
    assert output.count("cuml") == 1
    assert output.splitlines()[-1] == (
        "Failed: 3, bad[how=crashes], bad[how=hangs], bad[how=raises]."
    )


def test_the_result_knows_what_did_not_run(ended):
    found = {
        one["solver"]: one for one in not_run.read(pd.read_parquet(ended[1]))
    }
    for how, reason in {
        "hangs": "it did not return within 15 s",
        "crashes": "it ended the whole process (signal 11, SIGSEGV)",
        "raises": "ArithmeticError: one is not two",
    }.items():
        one = found[f"bad[how={how}]"]
        assert (one["status"], one["reason"]) == ("error", reason)
        assert one["dataset"].startswith("simulated")
    assert found["bad[how=refuses]"]["status"] == "skip"
    assert found["bad[how=refuses]"]["reason"] == "it does not like this"
    assert "bad[how=good]" not in found
    # needs a GPU
    assert found["cuml"]["status"] == "not installed"
    assert "pip install cuml" in found["cuml"]["reason"]


def test_a_limit_that_is_none_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "tools.run.run_benchmark",
         "--hard-limit", "0"], cwd=ROOT, capture_output=True, text=True,
    )
    assert done.returncode == 2
    assert "a number of seconds above 0" in done.stderr


def test_a_curve_may_end_while_it_is_looked_at(tmp_path):
    assert run_benchmark.running(tmp_path / "now.json") is None
    (tmp_path / "now.json").write_text('{"limit": 5}')
    assert run_benchmark.running(tmp_path / "now.json") == {"limit": 5}
