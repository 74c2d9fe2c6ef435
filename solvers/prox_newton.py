import numpy as np

from benchmark_utils.fenchel import penalties
from benchmark_utils.fenchel.coordinate_descent.columns import (
    columns_of,
    descend_by_columns,
)
from benchmark_utils.wiring.base_solver import LogisticSolver


class Solver(LogisticSolver):
    """Prox-Newton on all columns, each model by coordinate descent.

    The loss's quadratic model and the penalty are minimised by visits of the
    columns, X (v - w) kept up to date; then the step is halved until F falls.
    No working set, no Gram matrix, no secant pairs: beside auto-newton it
    shows what they gain.

    Timed: ``n_iter`` models and steps.
    """

    name = "prox-newton"
    requirements = ["pip::numba"]
    sampling_strategy = "iteration"
    dense_layout, sparse_layout = "F", "csc"
    references = [
        "J. D. Lee, Y. Sun and M. A. Saunders, Proximal Newton-type methods "
        "for minimizing composite functions, SIAM J. Optim. 24(3), 2014, "
        "doi:10.1137/130921428",
        "G.-X. Yuan, C.-H. Ho and C.-J. Lin, An improved GLMNET for "
        "l1-regularized logistic regression, JMLR 13, 2012",
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
        descend_by_columns(
            self.columns, (self.y, None), self.r, float(self.lmbd2),
            bool(self.fit_intercept), (0.0, n_iter), x,
        )
        self.coef, self.intercept = x[:-1], float(x[-1])
