"""Penalties r(w), a file each: the formula, its prox, its optimality.

A penalty is a NamedTuple of numbers with methods, in a file of its own whose
name is the penalty's: ``lmbd`` and what else it needs are the fields, and what
a method asks of it are methods of plain Python, which numba compiles where
compiled code calls them. `check` says what is missing. Nothing else has to
know of a new file: `load` finds it.

What a separable penalty, a sum over coefficients, has (w and x are numbers):

Its fields are float, and it is the only class of its file.

is_convex, is_separable : bool
least_gamma : float, optional
    What gamma must be above; 0.0 by default.
is_selectable : bool, optional
    False for the parts of the elastic net, which l1 and l2 select.
value(w)
    r at one coefficient.
prox(x, step)
    The w that minimises (w - x)^2 / (2 step) + r(w).
distance(w, grad)
    How far -grad is from the subdifferential of r at w.
slope(w), bend(w)
    First and second derivative where w is not zero.
from_problem(lmbd, gamma, n_samples) : class method
    The penalty of a problem whose loss is a *sum* over the samples.

A convex one may have what certifies it without lambda2, by its conjugate
r*(v), the largest v w - r(w):

dual_bound()
    Where r* is finite: |v| up to here; inf where everywhere.
conjugate(v)
    r* there.

One that is not separable has `value(w)` and `prox(x, step)` of whole arrays.
"""
import pkgutil
from importlib import import_module

import numpy as np
from numba import types
from numba.core import boxing
from numba.extending import (
    box,
    models,
    overload_attribute,
    overload_method,
    register_model,
    typeof_impl,
    unbox,
)

SEPARABLE = ("value", "prox", "distance", "slope", "bend")
COUPLED = ("value", "prox")


def names():
    """List the penalties there are: the files of this folder."""
    return sorted(one.name for one in pkgutil.iter_modules(__path__))


# Classes by their names and the folders: to look into them took 43 of the
# 84 us of a fit of 10 x 2
_loaded = {}


def load(name):
    """Return the class of a penalty by its name.

    Raises
    ------
    ValueError
        Where there is no such file, or what it defines is no penalty.
    """
    key = name, *__path__
    if key in _loaded:
        return _loaded[key]
    if name not in names():
        raise ValueError(
            f"penalty={name!r} is unknown: choose among {', '.join(names())}."
        )
    module = import_module(f"{__name__}.{name}")
    classes = [
        one for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, tuple)
        and one.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise ValueError(
            f"{name}.py has {len(classes)} NamedTuples: a penalty's file has "
            "one."
        )
    (found,) = classes
    check(found)
    _register(found)
    _loaded[key] = found
    return found


def make(name, lmbd1, gamma, n_samples):
    """Return the penalty of a problem, lambda2's part left out.

    Parameters
    ----------
    name : str
        "elasticnet", or one of `names`.
    lmbd1, gamma : float
        gamma is on the scale of the mean loss.
    n_samples : int
    """
    if name == "elasticnet":
        return load("l1")(float(lmbd1))
    return load(name).from_problem(lmbd1, gamma, n_samples)


def selectable_names(separable=False):
    """List the penalties that there are beside the elastic net.

    With `separable` those that are sums over coefficients. A file that is no
    penalty is left out: `load` says why to who asks for it.
    """
    found = []
    for name in names():
        try:
            kind = load(name)
        except Exception:
            continue
        if getattr(kind, "is_selectable", True) and (
            kind.is_separable or not separable
        ):
            found.append(name)
    return found


def check(penalty, needed=None):
    """Hold a penalty's class against what a solver asks of it.

    Parameters
    ----------
    penalty : type or NamedTuple
    needed : sequence of str, optional
        Names of methods; what all penalties have by default.

    Raises
    ------
    ValueError
        Naming what is missing.
    """
    kind = penalty if isinstance(penalty, type) else type(penalty)
    traits = ["is_convex", "is_separable", "from_problem"]
    lacking = [name for name in traits if not hasattr(kind, name)]
    if needed is None:
        separable = getattr(kind, "is_separable", True)
        needed = SEPARABLE if separable else COUPLED
    lacking += [
        name for name in needed if not callable(getattr(kind, name, None))
    ]
    if lacking:
        raise ValueError(
            f"{kind.__name__} is no penalty for this: it lacks "
            f"{', '.join(lacking)} (see fenchel/penalties)."
        )


class PenaltyType(types.NamedTuple):
    """The type of a penalty for numba: a NamedTuple that has its methods.

    A type of its own, as other NamedTuples may have a field `value`.
    """


register_model(PenaltyType)(models.TupleModel)
unbox(PenaltyType)(boxing.unbox_tuple)
box(PenaltyType)(boxing.box_namedtuple)


def _register(kind):
    """Tell numba the type of a penalty, whose fields are all float."""
    typeof_impl.register(kind)(
        lambda penalty, context: PenaltyType(
            [types.float64] * len(penalty), kind
        )
    )


def _method(kind, name):
    return getattr(kind.instance_class, name, None)


def _optional(kind, name, default):
    return _method(kind, name) or default


@overload_attribute(PenaltyType, "is_convex")
def _convexity(self):
    convex = self.instance_class.is_convex
    # None: as the penalty that it scales, its first field
    convex = self.types[0].instance_class.is_convex if convex is None else (
        convex
    )
    return lambda self: convex


# numba wants the names of the arguments, so each method has a line
for _name, _typed in {
    "value": lambda self, w: _method(self, "value"),
    "prox": lambda self, x, step: _method(self, "prox"),
    "distance": lambda self, w, grad: _method(self, "distance"),
    "slope": lambda self, w: _method(self, "slope"),
    "bend": lambda self, w: _method(self, "bend"),
    "dual_bound": lambda self: _optional(
        self, "dual_bound", lambda self: 0.0
    ),
    "conjugate": lambda self, v: _optional(
        self, "conjugate", lambda self, v: np.inf
    ),
}.items():
    overload_method(PenaltyType, _name)(_typed)
