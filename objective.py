import numpy as np
from joblib import hash as checksum
from scipy import sparse

from benchmark_utils.fenchel import penalties as files
from benchmark_utils.fenchel.validation import (
    DataError,
    check_design,
    check_labels,
    check_penalty,
)
from benchmark_utils.problem.batches import (
    ManyProblems,
    certify_many,
    clean_many,
    lambda1_max_many,
)
from benchmark_utils.problem.by_prox import certify_by_prox
from benchmark_utils.problem.certificate import certify, lambda1_max
from benchmark_utils.problem.guard import DataGuard
from benchmark_utils.problem.loss import log_loss, predict_margins
from benchmark_utils.problem.penalties import OWN, adapt, make
from benchmark_utils.problem.products import measure
from benchmark_utils.problem.stationarity import stationarity
from benchmark_utils.problem.stopping import CertifiedGap
from benchmark_utils.problem.validation import (
    ResultError,
    check_chosen_penalty,
    check_coef_true,
    check_scale,
    clean_result,
)
from benchmark_utils.report.problem_facts import describe
from benchmark_utils.report.provenance import record
from benchmark_utils.sources import OF_A_CURVE, sources_hash
from benchmark_utils.wiring.benchopt_private import (
    Objective as BaseObjective,
)
from benchmark_utils.wiring.benchopt_private import solver_name
from benchmark_utils.wiring.loading import load_or_explain
from benchmark_utils.wiring.memory import bytes_of
from benchmark_utils.wiring.optional import DEFAULTS, given
from benchmark_utils.wiring.threads import fix_threads


class Objective(BaseObjective):
    r"""Regularized logistic regression, every point with a certificate.

    min over w, b of
    sum_i log(1 + exp(-y_i (x_i' w + b))) + lambda1 |w|_1
    + (lambda2 / 2) |w|_2^2, with y_i in {-1, +1}; a sum, not a mean; the
    intercept b is not penalized.

    `relative_gap` = (F - lower bound) / F, the lower bound from a dual
    feasible point: the error of a solver is at most this, whatever the
    solver says. `value`, `lower_bound` and `kkt` are divided by n_samples.

    Parameters
    ----------
    l1 : float in [0, 1]
        lambda1 as a fraction of lambda1_max, from which on w = 0 is optimal
        (with an intercept: at the best intercept-only model). Of a batch the
        median of its problems' lambda1_max counts.
    l2 : float
        lambda2 itself. scikit-learn's C is 1 / l2.
    fit_intercept : bool
    penalty : str
        "elasticnet", as above, or in the place of lambda1 |w|_1 (lambda2
        stays): "mcp", "scad", "tv", or a file of `fenchel/penalties`. Where
        it is not convex, `violation` of stationarity stands in the place of
        the gap.
    gamma : float
        Of MCP, SCAD or such a file, on the scale of the mean loss.
    """

    name = "Logistic regression"
    url = "https://github.com/benchopt/benchmark_logistic_regression"
    min_benchopt_version = "1.10"
    requirements = ["pip::numpy", "pip::scipy", "pip::numba"]

    parameters = {
        "l1": [0.0],
        "l2": [1.0],
        "fit_intercept": [False],
        "penalty": [DEFAULTS["penalty"]],
        "gamma": [20.0],
    }

    # For every solver, also for one that knows nothing of this benchmark
    stopping_criterion = CertifiedGap()
    test_dataset_name = "simulated"
    #: what `skip` was given, and what it made of it
    _checked = None
    #: the dataset, which makes the data anew where a solver changed them
    _source = None

    @property
    def parameter_template(self):
        """What benchopt's name shows: `penalty` where it is another one.

        So results from before it have the same names.
        """
        hidden = []
        if self.penalty == DEFAULTS["penalty"]:
            hidden = ["penalty", "gamma"]
        elif self.penalty == "tv":
            hidden = ["gamma"]
        return ",".join(
            f"{name}={{{name}}}" for name in sorted(self.parameters)
            if name not in hidden
        )

    def skip(self, X, y, X_test=None, y_test=None, coef_true=None):
        given = X, y, X_test, y_test, coef_true
        try:
            # benchopt calls `set_data` next, with the same data
            self._checked = given, self._clean(*given)
        except DataError as reason:
            return True, str(reason)
        return False, None

    def _clean(self, X, y, X_test, y_test, coef_true):
        check_penalty(self.l1, self.l2, self.fit_intercept)
        if self.penalty != DEFAULTS["penalty"]:
            check_chosen_penalty(self.penalty, self.l1, files.names())
            check_scale(self.penalty, self._kind(), self.gamma, self.l2)
        if isinstance(X, ManyProblems):
            return self._clean_batch(X, y)
        X = check_design(X)
        if sparse.issparse(X) and not X.has_canonical_format:
            # or a library would do it, in place
            X = X.copy()
            X.sum_duplicates()
        y, classes = check_labels(y, X.shape[0])
        if (X_test is None) != (y_test is None):
            raise DataError("X_test and y_test must be given together.")
        if X_test is not None:
            X_test = check_design(X_test, "X_test")
            if X_test.shape[1] != X.shape[1]:
                raise DataError(
                    f"X_test has {X_test.shape[1]} features, X has "
                    f"{X.shape[1]}."
                )
            y_test, _ = check_labels(
                y_test, X_test.shape[0], classes, "y_test"
            )
        coef_true = check_coef_true(coef_true, X.shape[1])
        lmbd1 = self._lambda1(lambda1_max, X, y)
        return (X, y), X_test, y_test, coef_true, lmbd1

    def _clean_batch(self, X, y):
        if self.penalty != DEFAULTS["penalty"]:
            raise DataError(
                f"a batch of problems has no penalty {self.penalty}: set l1 "
                "and l2."
            )
        X, y = clean_many(X, y)
        lmbd1 = self._lambda1(lambda1_max_many, X, y)
        return (X, y), None, None, None, lmbd1

    def _lambda1(self, maximum, X, y):
        """lambda1 itself, l1 being a fraction of its maximum."""
        if self.l1 == 0:
            return 0.0
        lmbd1 = self.l1 * maximum(X, y, self.fit_intercept)
        if lmbd1 == 0 and (
            self.l2 == 0 or self.penalty != DEFAULTS["penalty"]
        ):
            raise DataError(
                "lambda1_max is zero (no feature is correlated with the "
                "labels), so l1 penalizes nothing: set l2 above zero."
            )
        return lmbd1

    def set_data(self, X, y, X_test=None, y_test=None, coef_true=None):
        given = X, y, X_test, y_test, coef_true
        before, cleaned = self._checked or ((), None)
        self._checked = None
        if len(before) == 0 or any(
            a is not b for a, b in zip(before, given, strict=True)
        ):
            cleaned = self._clean(*given)
        (
            (self.X, self.y), self.X_test, self.y_test, self.coef_true,
            self.lmbd1,
        ) = cleaned
        self._checksum = checksum(
            [self.X, self.y, self.X_test, self.y_test, self.coef_true],
            hash_name="sha1",
        )
        self.lmbd2 = float(self.l2)
        self.many = isinstance(self.X, ManyProblems)
        self.n_samples, self.n_features = self.X.shape
        self.judged = self._judged_penalty()
        self.X_bytes = bytes_of(self.X)
        # the bounds of rounding need it at every point
        self._sizes = (
            [measure(X) for X in self.X.designs] if self.many
            else measure(self.X)
        )
        # filled once, and shared by benchopt's copies for the repetitions
        self._facts = {}
        self._guard = DataGuard(self.X)
        fix_threads()

    def _kind(self):
        """The class of the penalty, the judge's own where it has one."""
        if self.penalty in OWN:
            return OWN[self.penalty]
        try:
            return files.load(self.penalty)
        except Exception as error:
            # one bad file is no end of a run
            raise DataError(
                f"the file of the penalty {self.penalty}: {error}"
            ) from error

    def _judged_penalty(self):
        """The penalty as the judge has it; None for the elastic net."""
        if self.penalty == DEFAULTS["penalty"]:
            return None
        if self.penalty in OWN:
            return make(self.penalty, self.lmbd1, self.gamma, self.n_samples)
        return adapt(self._kind().from_problem(
            self.lmbd1, self.gamma, self.n_samples
        ))

    def optional_keys(self):
        """What a solver is given beyond the plain problem, if anything."""
        return given(self.penalty, self.gamma)

    def get_objective(self):
        # what a solver does after its last point is found by the next one
        self._guard.check(self._pristine)
        return dict(
            X=self.X,
            y=self.y.copy(),
            lmbd1=self.lmbd1,
            lmbd2=self.lmbd2,
            fit_intercept=bool(self.fit_intercept),
            **self.optional_keys(),
        )

    def get_one_result(self):
        return dict(coef=[0.0] * self.n_features)

    def _pristine(self):
        """Load the data again, as they were before any solver had them."""
        if self._source is None:
            return self.X
        data = self._source.get_data()
        given = [
            data.get(name) for name in
            ("X", "y", "X_test", "y_test", "coef_true")
        ]
        return self._clean(*given)[0][0]

    def evaluate_result(self, **result):
        solver = solver_name(self)
        # before the point is cached, and another solver is given the data
        change = self._guard.check(self._pristine)
        if change:
            raise ResultError(f"{solver}: {change}")
        n_intercepts = self.X.n_problems if self.many else 1
        # the base class measures it; in units of X, which can be compared
        peak_memory = result.pop("peak_memory", float("nan"))
        coef, intercept = clean_result(
            result, self.n_features, n_intercepts, solver
        )
        if np.any(intercept) and not self.fit_intercept:
            raise ResultError(
                f"{solver}: returned the intercept {intercept} for a "
                "problem without one."
            )
        judged = self._judge(coef, intercept)
        if judged is None:
            raise ResultError(
                f"{solver}: F overflows at its point, whose largest "
                f"coefficient is {np.abs(coef).max():.1e}."
            )
        metrics = dict(
            **judged,
            n_nonzeros=int((coef != 0).sum()),
        )
        if np.isfinite(peak_memory):
            metrics["peak_memory"] = float(peak_memory) / self.X_bytes
        if self.X_test is not None:
            margins = predict_margins(
                self.X_test, self.y_test, coef, intercept
            )
            metrics["test_log_loss"] = log_loss(margins) / len(margins)
            metrics["test_accuracy"] = float((margins > 0).mean())
        if self.coef_true is not None:
            metrics["coef_error"] = float(
                ((self.coef_true - coef) ** 2).mean()
            )
        return metrics

    def _judge(self, coef, intercept):
        """Certify a point, or measure its violation; None if F overflows."""
        data = self.X, self.y, coef, intercept
        rest = self.lmbd2, self.fit_intercept, self._sizes
        if self.judged is None:
            certificate = certify_many if self.many else certify
            point = certificate(*data, self.lmbd1, *rest)
        elif self.judged.is_convex:
            point = certify_by_prox(*data, self.judged, *rest)
        else:
            point = stationarity(*data, self.judged, *rest)
        if not np.isfinite([one for one in point if one is not None]).all():
            return None
        return point.metrics(self.n_samples, self.lmbd1)

    def save_final_results(self, **result):
        # Once a curve, untimed; a text in the column `final_results`
        if not self._facts:
            self._facts.update(describe(self.X))
        return record(problem=self._facts)

    def load(self, dataset):
        # A dataset that raises would end the whole run and save nothing.
        skip, reason = load_or_explain(dataset)
        if skip:
            return skip, reason
        self._source = dataset
        return super().load(dataset)

    def cache_key(self):
        # An edit in benchmark_utils must not bring back old results. What
        # makes the data counts by the data that it makes.
        return {
            "sources": sources_hash(*OF_A_CURVE),
            "data": getattr(self, "_checksum", None),
        }

    def restore(self, cache_key):
        self._checksum = cache_key["data"]
