"""Keys that an objective gives only where they are not the default.

A solver written for the plain problem does not know them. It must not be run
then, on another problem than the one that is asked for: benchopt is told to
skip it, with the reason.
"""
import inspect

from benchmark_utils.wiring.benchopt_private import refuse_by

#: keys of `Objective.get_objective` beside X, y, lmbd1, lmbd2, fit_intercept,
#: and what each is where it is not given
DEFAULTS = {"penalty": "elasticnet", "gamma": None}


def given(penalty, gamma):
    """Return the keys that are not the default, as a dict.

    A function, and of this module: a worker that is sent the objective imports
    it then, and with it what refuses the solvers that know none of them.
    """
    if penalty == DEFAULTS["penalty"]:
        return {}
    return dict(penalty=penalty, gamma=float(gamma))


def unknown_keys(solver, objective):
    """Say which optional keys a solver does not know; None where it does.

    Its `set_objective` must name them: one that takes any keyword would
    ignore what it does not know.
    """
    keys = getattr(objective, "optional_keys", dict)()
    for name, any_will_do in (("set_objective", False), ("skip", True)):
        taken = inspect.signature(getattr(solver, name)).parameters
        if any_will_do and any(
            one.kind is one.VAR_KEYWORD for one in taken.values()
        ):
            continue
        missing = [
            f"{key}={value}" if isinstance(value, (str, float)) else key
            for key, value in keys.items() if key not in taken
        ]
        if missing:
            return (
                f"it was not written for {', '.join(missing)} "
                f"({name} has no such argument)."
            )
    return None


refuse_by(unknown_keys)
