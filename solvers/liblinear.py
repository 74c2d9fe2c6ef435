import ctypes
import sys

import numpy as np
from scipy import sparse

from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library

with Library("pip install liblinear-official") as needs:
    from liblinear.liblinearutil import parameter, problem, train

# The dual takes its order of the samples from C's `rand`
LIBC = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
# LIBLINEAR's -s
METHODS = {"primal": 0, "dual": 7, "l1": 6}


class Solver(LogisticSolver):
    """The authors' own LIBLINEAR, through its own Python interface.

    ``primal``: trust region Newton with preconditioned conjugate gradients,
    for 1/2 |w|_2^2 + C sum_i log-loss_i. ``dual``: coordinate descent on the
    dual of the same. ``l1``: newGLMNET, for |w|_1 + C sum_i log-loss_i.
    These are F / lambda for C = 1 / lambda. With -R the intercept (-B 1) is
    not penalized; the dual has no such option.

    Timed: `train` at tolerance -e, on data already in LIBLINEAR's own
    sparse structure, as its users prepare it.
    """

    name = "liblinear"
    requirements = ["pip::liblinear-official"]
    needs = needs
    parameters = {"method": ["primal", "dual", "l1"]}
    choices = {"method": tuple(METHODS)}
    sampling_strategy = "tolerance"
    references = [
        "R.-E. Fan et al., LIBLINEAR: a library for large linear "
        "classification, JMLR 9, 2008, https://jmlr.org/papers/v9/fan08a.html",
        "H.-F. Yu, F.-L. Huang and C.-J. Lin, Dual coordinate descent "
        "methods for logistic regression, 2011, "
        "doi:10.1007/s10994-010-5221-8",
        "G.-X. Yuan, C.-H. Ho and C.-J. Lin, An improved GLMNET for "
        "l1-regularized logistic regression, JMLR 13, 2012, "
        "https://jmlr.org/papers/v13/yuan12a.html",
    ]

    language = "C++"

    @property
    def penalties(self):
        return ("l1",) if self.method == "l1" else ("l2",)

    @property
    def handles_intercept(self):
        return self.method != "dual"

    @property
    def why_not(self):
        return {
            "l1": f"-s {METHODS[self.method]} is for l2; l1 has its own",
            "l2": "-s 6 is for l1; primal and dual are for l2",
            "elasticnet": "LIBLINEAR has none for the logistic loss",
            "intercept": "the dual penalizes it",
        }

    def prepare(self):
        c = 1 / (self.lmbd1 + self.lmbd2)
        bias = "-B 1 -R" if self.fit_intercept else "-B -1"
        self.options = parameter(
            f"-s {METHODS[self.method]} -c {c!r} {bias} -q"
        )
        # It takes matrices of the older kind only
        self.problem = problem(
            self.y, sparse.csr_matrix(self.X), bias=self.options.bias
        )

    def solve(self, tol):
        self.options.eps = tol
        LIBC.srand(self.get_seed(use_repetition=True) % 2**31)
        model = train(self.problem, self.options)
        n_weights = model.nr_feature + self.fit_intercept
        # A copy: the model frees its own. Weights are for the first label.
        w = np.ctypeslib.as_array(model.w, (n_weights,)) * model.label[0]
        self.coef = w[:model.nr_feature]
        self.intercept = float(w[-1]) if self.fit_intercept else 0.0
