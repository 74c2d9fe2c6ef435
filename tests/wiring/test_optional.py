"""A solver that does not know a problem's keys is never run on it."""
CARELESS = '''
import numpy as np
from benchopt import BaseSolver


class Solver(BaseSolver):
    name = "careless"
    sampling_strategy = "iteration"

    def set_objective(self, X, **anything):
        self.shape = X.shape

    def run(self, n_iter):
        pass

    def get_result(self):
        return dict(coef=np.zeros(self.shape[1]))
'''


def test_also_in_a_worker_that_imports_no_other_solver(
    copy, benchopt, tmp_path
):
    (tmp_path / "careless.py").write_text(CARELESS)
    said = benchopt(
        copy, "run", ".", "-s", str(tmp_path / "careless.py"),
        "-d", "simulated[n_samples=200,n_features=10]", "-j", "2", "-r", "2",
        "-o", "*[l1=0.1,l2=0.0,penalty=mcp,gamma=20.0]", "-n", "20",
        "--no-plot", "--no-html", check=False,
    )
    assert "it was not written for penalty=mcp, gamma=20.0" in said
    assert "error" not in said
