from benchmark_utils.wiring.base_solver import LogisticSolver
from benchmark_utils.wiring.libraries import Library
from benchmark_utils.wiring.quiet import ignore_warnings
from benchmark_utils.wiring.writeable import writeable

with Library("pip install glum") as needs:
    from glum import GeneralizedLinearRegressor


class Solver(LogisticSolver):
    """glum: generalized linear models for insurance pricing.

    Its objective for the binomial family is a mean, (1/n) sum_i log-loss_i
    + alpha (r |w|_1 + (1 - r) / 2 |w|_2^2), so alpha = (lambda1 + lambda2) / n
    and r = lambda1 / (lambda1 + lambda2). ``irls-ls``: iteratively reweighted
    least squares; ``irls-cd``: the same with coordinate descent inside;
    ``lbfgs``: SciPy's. Columns are standardized inside, which is undone in
    the penalty as well.

    Timed: a whole `fit` at `gradient_tol`, input checks included.
    """

    name = "glum"
    requirements = ["pip::glum"]
    needs = needs
    parameters = {"solver": ["irls-ls", "irls-cd", "lbfgs"]}
    choices = {"solver": ("irls-ls", "irls-cd", "lbfgs")}
    sampling_strategy = "tolerance"
    references = [
        "J. Friedman, T. Hastie and R. Tibshirani, Regularization paths for "
        "generalized linear models via coordinate descent, J. Stat. Softw. "
        "33(1), 2010, doi:10.18637/jss.v033.i01",
        "G.-X. Yuan, C.-H. Ho and C.-J. Lin, An improved GLMNET for "
        "l1-regularized logistic regression, JMLR 13, 2012, "
        "https://jmlr.org/papers/v13/yuan12a.html",
    ]

    language = "C++, Cython"
    dense_layout = "F"
    sparse_layout = "csc"

    @property
    def penalties(self):
        if self.solver == "irls-cd":
            return ("l2", "l1", "elasticnet")
        return ("l2",)

    why_not = {
        "l1": "of glum's solvers irls-cd takes it",
        "elasticnet": "of glum's solvers irls-cd takes it",
    }

    def arrange(self, X):
        return writeable(super().arrange(X))

    def prepare(self):
        strength = self.lmbd1 + self.lmbd2
        self.positive = (self.y > 0).astype(float)
        self.estimator = GeneralizedLinearRegressor(
            family="binomial",
            alpha=strength / len(self.y),
            l1_ratio=self.lmbd1 / strength,
            fit_intercept=self.fit_intercept,
            solver=self.solver,
            max_iter=10**5,
            copy_X=False,
        )

    def solve(self, tol):
        self.estimator.gradient_tol = tol
        with ignore_warnings():
            self.estimator.fit(self.X, self.positive)
        self.coef = self.estimator.coef_
        self.intercept = float(self.estimator.intercept_)
