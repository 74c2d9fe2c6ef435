"""What every solver of this benchmark would otherwise repeat."""
import time
import warnings

import numpy as np
from benchopt import BaseSolver
from benchopt.stopping_criterion import INFINITY
from scipy import sparse

from benchmark_utils.problem.batches import ManyProblems
from benchmark_utils.wiring.benchopt_private import twin, warm_up_again
from benchmark_utils.wiring.memory import peak_memory
from benchmark_utils.wiring.optional import DEFAULTS

# A first run of 20 us is recorded as 100 to 150 us (cold caches), one after
# 50 others as 23 us. So every solver gets untimed runs before a timed one
# where a run is short; `WARM_SECONDS` is what they may take.
SHORT_SECONDS = 1e-3
WARM_SECONDS = 5e-3


class LogisticSolver(BaseSolver):
    """A solver that says what it handles; a subclass writes `solve`.

    The class attributes are what `skip` answers from; each may be a property
    where it depends on a parameter. The attributes say what the *method* or
    the *library* can do; nothing is emulated.

    A subclass implements ``solve(stop_val)``, which runs from w = 0 and
    leaves its true iterate in ``self.coef`` and ``self.intercept``;
    `stop_val` is a number of iterations, a tolerance or a callback, as its
    `sampling_strategy` says. Before, ``self.X``, ``self.y``, ``self.lmbd1``,
    ``self.lmbd2``, ``self.fit_intercept`` are set, X in the layout that it
    asks for, and ``self.penalty`` and ``self.gamma``, "elasticnet" and None
    by default. That conversion is not timed; `prepare` is the place for more.

    A plain `benchopt.BaseSolver` in solvers/ works as well.
    """

    #: penalties it can have: "l2", "l1", "elasticnet" (both at once); "mcp",
    #: "scad", "tv" or the name of a penalty's file (with any lmbd2)
    penalties = ("l2",)
    #: an intercept that is not penalized
    handles_intercept = True
    #: CSR or CSC data as they are (never densified)
    handles_sparse = True
    #: a batched form of its own for many problems (`set_many` and
    #: `solve`); without one they are solved one after the other
    handles_many = False
    #: layout of dense data, "C" or "F", and of sparse data, "csr" or "csc"
    dense_layout = "C"
    sparse_layout = "csr"
    #: why not, for the attributes above: {"intercept": "it is penalized"}
    why_not = {}
    #: the values that a parameter may have, benchopt does not check them
    choices = {}
    #: its `wiring.libraries.Library`, where requirements.txt does not install
    #: it
    needs = None

    #: the problem's where it is not the default, also when `skip` is asked
    penalty, gamma = DEFAULTS["penalty"], DEFAULTS["gamma"]

    #: parameters that a run has by default (benchopt)
    sampling_strategy = "tolerance"

    @classmethod
    def is_installed(
        cls, env_name=None, raise_on_not_installed=None, quiet=False,
        **options,
    ):
        if env_name is None and cls.needs is not None:
            return cls.needs.check(cls.name, raise_on_not_installed, quiet)
        return super().is_installed(
            env_name, raise_on_not_installed, quiet, **options
        )

    def skip(self, X, y, lmbd1, lmbd2, fit_intercept, **optional):
        self._take(optional)
        for name, allowed in self.choices.items():
            value = getattr(self, name)
            if value not in allowed:
                known = ", ".join(map(str, allowed))
                return True, f"unknown {name}={value}: choose among {known}."
        penalty = self.penalty
        if penalty == DEFAULTS["penalty"]:
            penalty = (
                "elasticnet" if lmbd1 and lmbd2 else "l1" if lmbd1 else "l2"
            )
        refused = [
            what
            for what, needed, handled in [
                (penalty, True, penalty in self.penalties),
                ("intercept", fit_intercept, self.handles_intercept),
                ("sparse", sparse.issparse(X), self.handles_sparse),
            ]
            if needed and not handled
        ]
        if refused:
            what = refused[0]
            reason = self.why_not.get(what)
            text = {
                "intercept": "does not fit an intercept",
                "sparse": "does not take sparse data",
            }.get(what, f"does not handle the {what} penalty")
            return True, text + (f" ({reason})." if reason else ".")
        return self.skip_problem(X, lmbd1, lmbd2, fit_intercept)

    def skip_problem(self, X, lmbd1, lmbd2, fit_intercept):
        """Refuse what the attributes cannot express; (skip, reason)."""
        return False, None

    def _take(self, optional):
        """Set what was given beyond the plain problem, or its default."""
        for name, default in DEFAULTS.items():
            setattr(self, name, optional.get(name, default))

    def set_objective(
        self, X, y, lmbd1, lmbd2, fit_intercept,
        penalty=DEFAULTS["penalty"], gamma=DEFAULTS["gamma"],
    ):
        self._take(dict(penalty=penalty, gamma=gamma))
        # benchopt warms up once an instance, which it then uses on other
        # problems: another layout or regime would be compiled on the clock
        warm_up_again(self)
        self._last_seconds = float("inf")
        self._ready_at = None
        self.peak_memory = float("nan")
        self.each = ()
        if isinstance(X, ManyProblems) and not self.handles_many:
            self.X = X
            self.each = [
                self.for_one(X_k, y_k, lmbd1, lmbd2, fit_intercept)
                for X_k, y_k in X.split(y)
            ]
            return
        self.X = X if isinstance(X, ManyProblems) else self.arrange(X)
        self.y = y
        self.lmbd1, self.lmbd2 = lmbd1, lmbd2
        self.fit_intercept = fit_intercept
        # shared by all runs: a solver that wrote into it would get an error
        self._origin = np.zeros(self.X.shape[1])
        self._origin.flags.writeable = False
        self.coef, self.intercept = self._origin, 0.0
        self.prepare()

    def prepare(self):
        """What else is to be set before `solve`; not timed."""

    def for_one(self, X, y, lmbd1, lmbd2, fit_intercept):
        """A solver like this one for one problem of a batch."""
        one = twin(self)
        one.set_objective(
            X, y, lmbd1, lmbd2, fit_intercept,
            **{name: getattr(self, name) for name in DEFAULTS},
        )
        return one

    def arrange(self, X):
        """X as float64 in the layout that the solver asks for."""
        if sparse.issparse(X):
            X = X.asformat(self.sparse_layout).astype(np.float64, copy=False)
            if not X.has_canonical_format:
                X = X.copy()
                X.sum_duplicates()
            # half of scikit-learn's solvers refuse 64-bit indices
            if max(X.nnz, *X.shape) < 2**31:
                X = type(X)(
                    (
                        X.data, X.indices.astype(np.int32, copy=False),
                        X.indptr.astype(np.int32, copy=False),
                    ),
                    shape=X.shape,
                )
            return X
        return np.asarray(X, dtype=np.float64, order=self.dense_layout)

    def warm_up(self):
        """Run once, so that nothing is compiled or imported on the clock."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stop_val = 0.01 if self.sampling_strategy == "tolerance" else 2
            self.run_once(stop_val)
            # compiling needs time and memory too, so a second run tells
            if self.sampling_strategy != "callback":
                self.peak_memory = peak_memory(
                    lambda: self._timed_run(stop_val)
                )

    def pre_run_hook(self, stop_val):
        """Repeat short runs, untimed, so that the timed one is not cold."""
        if callable(stop_val):
            return
        end = time.perf_counter() + WARM_SECONDS
        while (
            self._last_seconds < SHORT_SECONDS and time.perf_counter() < end
        ):
            self._timed_run(stop_val)
        self._ready_at = time.perf_counter()

    def _timed_run(self, stop_val):
        started = time.perf_counter()
        self.run(stop_val)
        self._last_seconds = time.perf_counter() - started

    def run(self, stop_val):
        # What is done here is timed: 0.11 us. With clocks and a new array of
        # zeros it was 0.78 us, of 3.6 us in all for 10 x 2
        if self.each:
            for one in self.each:
                one.run(stop_val)
            return
        self.coef, self.intercept = self._origin, 0.0
        # The first point of every curve is w = 0
        if stop_val != 0 and stop_val != INFINITY:
            self.solve(stop_val)

    def solve(self, stop_val):
        """Solve from w = 0 and set self.coef and self.intercept.

        They are zero before it, `coef` read-only.
        """
        raise NotImplementedError

    def get_result(self):
        if self._ready_at is not None:
            # the run since `pre_run_hook`
            self._last_seconds = time.perf_counter() - self._ready_at
            self._ready_at = None
        if self.each:
            return dict(
                coef=np.concatenate([one.coef for one in self.each]),
                intercept=np.array([one.intercept for one in self.each]),
                peak_memory=self.peak_memory,
            )
        return dict(
            coef=self.coef, intercept=self.intercept,
            peak_memory=self.peak_memory,
        )
