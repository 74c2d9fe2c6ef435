r"""Prox-Newton on a set of columns whose Gram matrix fits the cache.

Each iteration minimises the quadratic model of the loss plus the penalty
(`quadratic`), and takes the step, by a search on margins where it is long.
The Gram matrix of the model is kept: a secant pair (BFGS) corrects it after
each step of length 1, and a new one is made where the iterations that the
present one still needs cost more.

Points are shared with the method that chooses the columns
(`working_set`), which checks what it gets: the last step, whose success can
be predicted, is left to it.

J. D. Lee, Y. Sun and M. A. Saunders, "Proximal Newton-type methods for
minimizing composite functions", SIAM J. Optim. 24(3), 2014,
doi:10.1137/130921428.
"""
import math
from typing import NamedTuple

import numpy as np

from ..compilation import LOOPS, njit
from ..datafits.logistic import evaluate, loss_along
from .access import add_transposed, gram_of, multiply, rows_per_block
from .quadratic import Model, minimise

# Where the model promises to lower F by more than this share, the step's
# length is searched for: it is mostly longer than 1
_LONG = 1e-3
# How well the model is minimised: as well as the last step was short
_LOOSE, _EXACT = 1e-2, 1e-6
# Changes of F below this share are rounding
_ROUNDING = 1e-14
_FACTOR, _LONGEST, _SHORTEST = 1.5, 16.0, 1e-8


class Problem(NamedTuple):
    """Data and penalty over some columns."""

    #: dense or CSR, see `access`
    X: np.ndarray
    #: (n,) -1.0 and 1.0
    y: np.ndarray
    #: of one coefficient, see `fenchel.penalties`
    penalty: tuple
    #: lambda2, which comes on top
    l2: float
    #: whether there is an intercept, free of a penalty
    free: bool
    #: columns
    k: int
    #: (n,) what each sample counts, or None
    weights: np.ndarray
    #: the root of the largest of them
    heaviest: float


class Point(NamedTuple):
    """Coefficients and what follows from them."""

    #: (k + 1,) the intercept last, and the gradient of all but the penalty
    w: np.ndarray
    grad: np.ndarray
    #: (n,) margins, dual variables, their derivative, -y times them
    m: np.ndarray
    s: np.ndarray
    h: np.ndarray
    r: np.ndarray


class Goal(NamedTuple):
    """When to stop, and what a Gram matrix costs."""

    #: the gap, or the violation where the penalty is not convex
    target: float
    #: iterations
    budget: int
    #: a Gram matrix in units of the rest of an iteration
    price: float


@njit
def penalty_along(problem, w, to, t):
    """Penalty, lambda2's part included, at w + t (to - w)."""
    total = 0.0
    for j in range(problem.k):
        x = w[j] + t * (to[j] - w[j])
        if x != 0.0:
            total += problem.penalty.value(x) + 0.5 * problem.l2 * x * x
    return total


@njit
def part_of(weights, first, last):
    """Return the weights of some samples, None where there are none."""
    return None if weights is None else weights[first:last]


@njit
def look(problem, point, part, known):
    """Compute margins (unless known), weights and gradient at point.w.

    Returns
    -------
    float
        F.
    """
    X, k, n = problem.X, problem.k, point.m.size
    step = rows_per_block(X)
    loss = total = 0.0
    grad = point.grad[:k]
    grad[:] = 0.0
    for first in range(0, n, step):
        last = min(first + step, n)
        if not known:
            multiply(X, first, last, point.w[:k], point.w[k], point.m)
            for i in range(first, last):
                point.m[i] *= problem.y[i]
        loss += evaluate(
            point.m[first:last], point.s[first:last], point.h[first:last],
            part_of(problem.weights, first, last),
        )
        for i in range(first, last):
            point.r[i] = -problem.y[i] * point.s[i]
            total += point.r[i]
        add_transposed(X, first, last, point.r, part[:k], grad)
    for j in range(k):
        grad[j] += problem.l2 * point.w[j]
    point.grad[k] = total
    return loss + penalty_along(problem, point.w, point.w, 0.0)


@njit
def search(problem, here, there, value, smallest):
    """Find a step length by growing or shrinking, from margins at 0 and 1.

    Returns
    -------
    float
        The best length tried; 0.0 where F does not fall.
    """
    t, best, trial = 0.0, value, 1.0
    while smallest <= trial <= _LONGEST:
        new = loss_along(here.m, there.m, trial, problem.weights)
        new += penalty_along(problem, here.w, there.w, trial)
        if new < best:
            t, best = trial, new
            trial *= _FACTOR
        elif t > 0.0:
            break
        else:
            trial *= 0.4
    return t


@njit
def advance(problem, here, there, part, value, decrease):
    """Go from here to there.w, or as far along as F falls.

    Returns
    -------
    t : float
        The length of the step, 0.0 where F did not fall.
    value : float
    """
    k = problem.k
    if decrease <= _LONG * value:
        new = look(problem, there, part, False)
        if new <= value - min(1e-2 * decrease, -_ROUNDING * value):
            return 1.0, new
    else:
        multiply(
            problem.X, 0, here.m.size, there.w[:k], there.w[k], there.m
        )
        for i in range(here.m.size):
            there.m[i] *= problem.y[i]
    t = search(problem, here, there, value, _SHORTEST)
    if t == 0.0:
        return 0.0, value
    if t != 1.0:
        for j in range(k + 1):
            there.w[j] = here.w[j] + t * (there.w[j] - here.w[j])
        for i in range(here.m.size):
            there.m[i] = here.m[i] + t * (there.m[i] - here.m[i])
    return t, look(problem, there, part, True)


@njit
def estimate(problem, point):
    """Estimate the gap of a point from its violations.

    Returns
    -------
    size : float
        About the gap; the violation where r is not convex.
    largest : float
        The largest violation.
    """
    largest = squares = length = 0.0
    for j in range(problem.k):
        far = problem.penalty.distance(point.w[j], point.grad[j])
        largest = max(largest, far)
        squares += far * far
        length += abs(point.w[j])
    if problem.free:
        largest = max(largest, abs(point.grad[problem.k]))
    if not problem.penalty.is_convex:
        return largest, largest
    size = largest * length
    if squares <= 2.0 * problem.l2 * size:
        size = squares / (2.0 * problem.l2)
    return size, largest


@njit
def promised(problem, model):
    """What the model promises: its decrease, s'Hs, and whether signs hold."""
    decrease = bend = 0.0
    settled = True
    for j in range(problem.k + problem.free):
        old, new = model.w[j], model.v[j]
        s = new - old
        bend += s * model.move[j]
        decrease -= s * (model.grad[j] + 0.5 * model.move[j])
        if j < problem.k:
            decrease += problem.penalty.value(old) - problem.penalty.value(new)
            settled = settled and (new != 0.0) == (old != 0.0)
            settled = settled and new * old >= 0.0
    return decrease, bend, settled


@njit(fastmath=LOOPS)
def correct(model, grad, bend):
    """Make H agree with how the gradient changed over the step (BFGS)."""
    H, move, shift = model.H, model.move, model.shift
    q = model.k + model.free
    slope = 0.0
    shift[:] = 0
    for j in range(q):
        change = grad[j] - model.grad[j]
        shift[j] = change
        slope += (model.v[j] - model.w[j]) * change
    if not (bend > 0.0 and slope > 1e-3 * bend):
        return
    up = H.dtype.type(1.0 / math.sqrt(slope))
    down = H.dtype.type(1.0 / math.sqrt(bend))
    for j in range(shift.size):
        shift[j] *= up
        move[j] *= down
    for i in range(q):
        a, b, row = shift[i], move[i], H[i]
        for j in range(row.size):
            row[j] += a * shift[j] - b * move[j]


@njit
def curve(problem, point, H):
    """Fill H with the loss's second derivative at a point, lambda2 added."""
    gram_of(problem.X, problem.k, point.h, problem.free, H)
    for j in range(problem.k):
        H[j, j] += problem.l2


@njit
def concavity(penalty):
    """Return the largest of minus the penalty's second derivative."""
    most = 0.0
    if not penalty.is_convex:
        for power in range(-80, 80):
            most = max(most, -penalty.bend(2.0**power))
    return most


@njit
def make_model(penalty, k, free, width, like):
    """Allocate a model over k coefficients; H is of `like`'s dtype."""
    return Model(
        np.empty((width, width), like.dtype), k, free, np.zeros(k + 1),
        np.zeros(k + 1), np.zeros(k + 1), np.zeros(width, like.dtype),
        np.zeros(width, like.dtype), np.zeros(k + 1, np.int64),
        np.empty((k + 1, k + 1)), np.zeros(k + 1),
        np.array([-1.0, np.inf, 1.05 * concavity(penalty)]),
    )


@njit
def descend(problem, model, here, there, part, value, goal):
    """Iterate until the goal is reached, or is within reach of one step.

    Parameters
    ----------
    problem : Problem
    model : Model
        Its H is used again if it has one.
    here, there : Point
        `here` is the start, all of it given.
    part : array of shape (>= k,), work space
    value : float
        F at the start.
    goal : Goal

    Returns
    -------
    n_iter : int
    in_second : bool
        Whether `there` has the coefficients to go on with.
    stuck : bool
        Whether F does not fall any more.
    epochs, grams : int
    """
    q = problem.k + problem.free
    age, last = model.memory[0], model.memory[1]
    swapped, settled, stuck = False, age > 0.0, False
    n_iter = epochs = grams = 0
    forcing = _LOOSE
    while n_iter < goal.budget and not stuck:
        size, largest = estimate(problem, here)
        # at w = 0 the estimate is 0: whoever calls knows that there is more
        if n_iter > 0 and size <= goal.target:
            break
        rate = largest / last
        if age > 0.0 and size > goal.target and (rate > 0.9 or math.log(
            goal.target / size
        ) < (goal.price + 1.0) * math.log(rate)):
            age = -1.0
        if age < 0.0:
            curve(problem, here, model.H)
            age = 0.0
            grams += 1
        for j in range(q):
            model.w[j], model.grad[j] = here.w[j], here.grad[j]
        epochs += minimise(model, problem.penalty, forcing, 300, settled)
        decrease, bend, settled = promised(problem, model)
        for j in range(problem.k + 1):
            there.w[j] = model.v[j]
        n_iter += 1
        # of a difference of sums as large as F
        possible = decrease > -_ROUNDING * value
        forcing = min(max(decrease / value, _EXACT), _LOOSE)
        if decrease <= _LONG * value and possible and age > 0.0 and (
            size * rate <= goal.target
        ):
            swapped = not swapped
            break
        t, new = 0.0, value
        if possible:
            t, new = advance(problem, here, there, part, value, decrease)
        if t == 0.0:
            stuck = age == 0.0
            age = -1.0
            continue
        value, last, age = new, largest, age + 1.0
        if t == 1.0:
            correct(model, there.grad, bend)
        else:
            age = -1.0
        here, there = there, here
        swapped = not swapped
    model.memory[0], model.memory[1] = age, last
    return n_iter, swapped, stuck, epochs, grams
