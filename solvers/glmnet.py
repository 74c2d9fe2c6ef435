import os
import shutil

import numpy as np
from scipy import sparse

from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.constant import has_constant
from benchmark_utils.wiring.libraries import Library

with Library(
    "apt-get install r-base-core r-cran-glmnet, pip install rpy2==3.5.17"
) as needs:
    # without it rpy2 raises what is no ImportError
    if shutil.which("R") is None:
        raise ImportError("no program R")
    search_path = os.environ.get("LD_LIBRARY_PATH")
    from rpy2.rinterface_lib import callbacks

    # R's warnings are not for who runs a benchmark
    callbacks.consolewrite_warnerror = callbacks.consolewrite_print = (
        lambda text: None
    )
    from rpy2 import robjects
    from rpy2.robjects.packages import importr

    GLMNET, MATRIX = importr("glmnet"), importr("Matrix")
    # by default it takes probabilities below 1e-9 for zero
    GLMNET.glmnet_control(fdev=0, devmax=1, pmin=1e-15)
    # R puts the system's libraries first, for every process that is started
    # from here: another Python would load the system's libpython and crash
    if search_path is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = search_path


class Solver(LogisticSolver):
    """glmnet: coordinate descent inside reweighted least squares, from R.

    Its objective is a mean, (1/n) sum_i log-loss_i + lambda (alpha |w|_1
    + (1 - alpha) / 2 |w|_2^2), so lambda = (lambda1 + lambda2) / n and alpha
    = lambda1 / (lambda1 + lambda2), without its standardization of columns.

    Timed: a whole call of R's function `glmnet` for this one lambda at
    `thresh`, its checks included; the data are in R's memory before. Its
    users compute a path of lambdas, of which the others are not asked for.
    """

    name = "glmnet"
    requirements = ["pip::rpy2"]
    needs = needs
    sampling_strategy = "tolerance"
    references = [
        "J. Friedman, T. Hastie and R. Tibshirani, Regularization paths for "
        "generalized linear models via coordinate descent, J. Stat. Softw. "
        "33(1), 2010, doi:10.18637/jss.v033.i01",
    ]

    language = "R, C++"
    penalties = ("l2", "l1", "elasticnet")
    dense_layout = "F"
    sparse_layout = "csc"

    def skip(self, X, y, lmbd1, lmbd2, fit_intercept, **optional):
        pairs = X.split(y) if isinstance(X, ManyProblems) else [(X, y)]
        for X_k, y_k in pairs:
            if X_k.shape[1] < 2:
                return True, "glmnet wants at least two columns."
            if min((y_k > 0).sum(), (y_k < 0).sum()) < 2:
                return True, "glmnet wants at least two samples of a class."
            if has_constant(X_k):
                return True, "glmnet leaves columns that are constant out."
        return super().skip(X, y, lmbd1, lmbd2, fit_intercept, **optional)

    def prepare(self):
        n, p = self.X.shape
        if sparse.issparse(self.X):
            self.design = MATRIX.sparseMatrix(
                i=robjects.IntVector(self.X.indices),
                p=robjects.IntVector(self.X.indptr),
                x=robjects.FloatVector(self.X.data),
                dims=robjects.IntVector([n, p]), index1=False,
            )
        else:
            self.design = robjects.r.matrix(
                robjects.FloatVector(self.X.ravel(order="F")), nrow=n
            )
        self.positive = robjects.FloatVector((self.y > 0).astype(float))

    def solve(self, tol):
        strength = self.lmbd1 + self.lmbd2
        fit = GLMNET.glmnet(
            self.design, self.positive, family="binomial",
            alpha=self.lmbd1 / strength, standardize=False,
            intercept=self.fit_intercept, thresh=tol**2, maxit=1_000_000,
            **{"lambda": strength / len(self.y)},
        )
        beta = fit.rx2("beta")
        self.coef = np.zeros(self.X.shape[1])
        self.coef[np.asarray(beta.slots["i"])] = np.asarray(beta.slots["x"])
        self.intercept = float(fit.rx2("a0")[0])
