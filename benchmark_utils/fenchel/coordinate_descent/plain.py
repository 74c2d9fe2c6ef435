r"""Prox-Newton with a separable penalty in NumPy: nothing is compiled.

The last resort of the compiled methods, and the answer to `compile=False`.
Each iteration minimises the quadratic model over a working set by coordinate
descent on its Gram matrix, then halves the step until F falls; where it does
not, the model's diagonal is raised (Levenberg and Marquardt).

J. D. Lee, Y. Sun and M. A. Saunders, "Proximal Newton-type methods for
minimizing composite functions", SIAM J. Optim. 24(3), 2014,
doi:10.1137/130921428.
"""
import numpy as np
from scipy import sparse
from scipy.special import expit

from ..longer import gap_at
from ..result import FLOAT64_LIMIT, ITERATION_LIMIT, REACHED

# Coefficients of the first working set, and halvings of a step
_FEW, _HALVINGS = 100, 40
# Iterations without progress that are waited for
_PATIENCE = 20
# A fall of F by this share is progress
_LEVEL = 1e-9
_LARGEST_EPOCHS = 300


def minimise(problem, x):
    """Minimise F from x.

    Parameters
    ----------
    problem : result.Problem
        With a separable penalty.
    x : array of shape (n_features + intercept,), float64
        The start, the intercept last; becomes the best point found.

    Returns
    -------
    status : int
    gap, value : float
        At x; where the penalty is not convex, the violation for the gap.
    counts : tuple of four int
        Iterations, passes over X, Gram matrices, epochs.
    """
    with np.errstate(all="ignore"):
        return _Fit(problem, x).run()


class _Fit:
    """One fit: the point, and what follows from it."""

    def __init__(self, problem, x):
        self.problem, self.x = problem, x
        self.p = problem.X.shape[1]
        self.XT = problem.X.T
        self.counts = 1.0 if problem.weights is None else problem.weights
        self.passes = self.grams = self.epochs = 0
        self.look(x.copy())

    def margins(self, x):
        self.passes += 1
        w, b = x[:self.p], x[self.p:].sum()
        return self.problem.y * (self.problem.X @ w + b)

    def value_of(self, m, x):
        w = x[:self.p]
        value = self.problem.penalty.value
        total = (self.counts * np.logaddexp(0.0, -m)).sum()
        total += sum(map(value, w[w != 0.0].tolist()))
        return total + 0.5 * self.problem.l2 * (w @ w)

    def look(self, x):
        """Go to a point: margins, F, gradient, violations."""
        y, l2 = self.problem.y, self.problem.l2
        self.at, self.m = x, self.margins(x)
        self.value = self.value_of(self.m, x)
        s = self.counts * expit(-self.m)
        self.h = s * expit(self.m)
        self.grad = np.append(
            l2 * x[:self.p] - self.XT @ (y * s), -(y @ s)
        )[:len(x)]
        self.far = np.array(list(map(
            self.problem.penalty.distance, x[:self.p].tolist(),
            self.grad[:self.p].tolist(),
        )))

    def estimate(self):
        """Return about the gap, or the violation if r is not convex."""
        largest = max(self.far.max(), np.abs(self.grad[self.p:]).sum())
        if not self.problem.penalty.is_convex:
            return largest
        return largest * max(np.abs(self.at[:self.p]).sum(), 1e-3)

    def run(self):
        problem, sharper = self.problem, 1.0
        n_iter = worse = 0
        damping, best, lowest = 0.0, np.inf, np.inf
        while True:
            goal = problem.goal(self.value)
            if self.estimate() <= sharper * goal or worse == _PATIENCE:
                gap, value = self.certify()
                if gap <= goal or worse == _PATIENCE:
                    status = REACHED if gap <= goal else FLOAT64_LIMIT
                    break
                sharper *= 0.1
            if n_iter >= problem.max_iter:
                status = ITERATION_LIMIT
                gap, value = self.certify()
                break
            n_iter += 1
            moved = self.step(damping)
            damping = 0.01 * damping if moved else max(100 * damping, 1e-6)
            reached = self.estimate()
            worse += 1
            if reached < 0.9 * best or self.value < lowest * (1.0 - _LEVEL):
                worse, best, lowest = 0, reached, self.value
        self.x[:] = self.at
        return status, gap, value, (
            n_iter, self.passes, self.grams, self.epochs
        )

    def certify(self):
        self.passes += 2
        problem, p = self.problem, self.p
        return gap_at(
            problem.X, problem.y, problem.l2, self.at[:p],
            self.at[p:].sum(), problem.intercept, problem.penalty,
            problem.weights,
        )

    def working_set(self):
        """Return coefficients that are not zero, and some that would leave."""
        used = self.at[:self.p] != 0.0
        limit = max(_FEW, 2 * np.count_nonzero(used))
        others = np.flatnonzero(~used & (self.far > 0.0))
        order = np.argsort(-self.far[others], kind="stable")[:limit]
        return np.sort(np.append(np.flatnonzero(used), others[order]))

    def step(self, damping):
        """Go to the model's minimiser, or part of the way; tell whether."""
        chosen = self.working_set()
        A = self.problem.X[:, chosen]
        A = A.toarray() if sparse.issparse(A) else A.astype(np.float64)
        chosen = np.append(chosen, np.arange(self.p, len(self.at)))
        if len(chosen) > A.shape[1]:
            A = np.column_stack([A, np.ones(len(A))])
        H = A.T @ (self.h[:, None] * A)
        self.grams += 1
        diagonal = np.arange(len(chosen))
        H[diagonal, diagonal] *= 1.0 + damping
        columns = chosen < self.p
        H[diagonal[columns], diagonal[columns]] += self.problem.l2
        new = self.at.copy()
        new[chosen] = self.minimise_model(
            H, self.grad[chosen], self.at[chosen], columns
        )
        m = self.margins(new)
        # a whole step may be as good but for rounding
        t, bar = 1.0, self.value * (1.0 + 1e-14)
        for _ in range(_HALVINGS):
            x = self.at + t * (new - self.at)
            if self.value_of(self.m + t * (m - self.m), x) < bar:
                self.look(x)
                return True
            t, bar = 0.5 * t, self.value
        return False

    def minimise_model(self, H, grad, w, columns):
        """Return the minimiser of the quadratic model and the penalty."""
        prox, v, slope = self.problem.penalty.prox, w.copy(), grad.copy()
        bends = H.diagonal().tolist()
        for epoch in range(_LARGEST_EPOCHS):
            largest = 0.0
            for j, bend in enumerate(bends):
                if not bend > 0.0:
                    continue
                new = v[j] - slope[j] / bend
                if columns[j]:
                    new = prox(float(new), 1.0 / bend)
                d = new - v[j]
                if d != 0.0:
                    slope += d * H[j]
                    v[j] = new
                    largest = max(largest, bend * d * d)
            self.epochs += 1
            if epoch == 0:
                first = largest
            if largest <= 1e-12 * first:
                break
        return v
