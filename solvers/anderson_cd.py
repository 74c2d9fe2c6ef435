import numpy as np

from benchmark_utils.fenchel import penalties
from benchmark_utils.fenchel.coordinate_descent.anderson import (
    descend_by_epochs,
)
from benchmark_utils.fenchel.coordinate_descent.columns import columns_of
from benchmark_utils.wiring.base_solver import LogisticSolver


class Solver(LogisticSolver):
    """Coordinate descent on the columns, extrapolated by Anderson.

    An epoch visits every coefficient of F once and takes the prox of its
    majorised step, |x_j|^2 / 4 + lambda2 the bound of its curvature. Every
    five epochs the combination of the last iterates whose step is the
    shortest is taken where F is lower there. One read of X an epoch, one more
    at an extrapolation. No working set, no second derivatives: beside
    auto-newton it shows what they gain.

    Timed: ``n_iter`` epochs.
    """

    name = "anderson-cd"
    requirements = ["pip::numba"]
    sampling_strategy = "iteration"
    dense_layout, sparse_layout = "F", "csc"
    references = [
        "Q. Bertrand and M. Massias, Anderson acceleration of coordinate "
        "descent, AISTATS 2021, arXiv:2011.10065",
    ]
    why_not = {"tv": "it couples coefficients"}

    @property
    def penalties(self):
        others = penalties.selectable_names(separable=True)
        return ("l2", "l1", "elasticnet", *others)

    def prepare(self):
        self.columns = columns_of(self.X)
        self.r = penalties.make(
            self.penalty, self.lmbd1, self.gamma, len(self.y)
        )

    def solve(self, n_iter):
        x = np.zeros(self.X.shape[1] + 1)
        descend_by_epochs(
            self.columns, self.y, self.r, float(self.lmbd2),
            bool(self.fit_intercept), (0.0, n_iter), x,
        )
        self.coef, self.intercept = x[:-1], float(x[-1])
