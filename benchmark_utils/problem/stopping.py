"""When a curve ends: on the certificate, on no progress, or on time."""
import time

from benchopt.stopping_criterion import (
    INFINITY,
    SingleRunCriterion,
    StoppingCriterion,
)

# The certified relative gap at which a problem counts as solved
TARGET_GAP = 1e-10
# and, where none exists, the violation of stationarity over lambda1 / n
TARGET_VIOLATION = 1e-9
# Tolerances are tried on this grid: two a decade
TOLERANCE_RATIO = 10**0.5
MIN_TOLERANCE = 1e-16
# Numbers of iterations grow by this factor: 0, 1, ..., 7, 9, 11, 14, 18, ...
# benchopt's own schedule grows faster where the curve is flat, and then jumps
# over the time at which an accuracy was reached.
ITERATION_RATIO = 1.3


class CertifiedGap(StoppingCriterion):
    """End a curve when its certified relative gap is at most `target`.

    Also when the solver has made no progress in more than `patience`
    successive points: neither has the relative gap fallen by a tenth, nor
    the value by a hundredth of what the certificate says is left to gain. (The
    gap alone will not do: it can stay at 1 for a long time on badly scaled
    problems; the value alone would not notice that nothing is left to gain.)

    Where no lower bound exists, and so no gap, the violation of stationarity
    over lambda1 / n stands in its place, with `TARGET_VIOLATION`; progress of
    the value is there a fall by 1e-4 of it.

    One instance serves solvers of every sampling strategy, so it stands once
    in the objective, and a plain benchopt solver gets it as well.

    Parameters
    ----------
    target : float
        Certified relative gap to reach.
    patience : int
        Points without progress that are tolerated.
    """

    def __init__(
        self, target=TARGET_GAP, patience=10, strategy=None,
        key_to_monitor="relative_gap", minimize=True,
    ):
        self.target = target
        self.violation_target = TARGET_VIOLATION
        self.patience = patience
        super().__init__(
            strategy=strategy, key_to_monitor=key_to_monitor,
            minimize=minimize, target=target, patience=patience,
        )

    def get_runner_instance(self, solver=None, **runner):
        strategy = getattr(solver, "sampling_strategy", None) or "iteration"
        if strategy == "run_once":
            return SingleRunCriterion(
                strategy=strategy
            ).get_runner_instance(solver=solver, **runner)
        # benchopt would store the strategy of the first solver in `self`,
        # which the next solver shares
        own = CertifiedGap(self.target, self.patience, strategy)
        return StoppingCriterion.get_runner_instance(
            own, solver=solver, **runner
        )

    def init_stop_val(self):
        # benchopt starts the clock before the warm-up, and a solver that
        # compiles for a second would time out without a point
        if self.timeout is not None:
            self._deadline = time.time() + self.timeout
        return super().init_stop_val()

    def should_stop(self, stop_val, objective_list):
        if "objective_relative_gap" not in objective_list[0]:
            # benchopt takes a rise of what it watches by 1e5 for divergence:
            # violations may begin above that
            self.key_to_monitor_ = "objective_value"
        return super().should_stop(stop_val, objective_list)

    def check_convergence(self, objective_list):
        point = objective_list[-1]
        value = point["objective_value"]
        if "objective_relative_gap" in point:
            gap, target = point["objective_relative_gap"], self.target
            to_gain = 0.01 * gap * abs(value)
        else:
            gap, target = (
                point["objective_relative_violation"],
                self.violation_target,
            )
            to_gain = 1e-4 * abs(value)
        if gap <= target:
            return True, 1.0
        # compared with the last point that was progress, so that small
        # steps add up
        if len(objective_list) == 1 or (
            gap <= 0.9 * self._gap or self._value - value >= to_gain
        ):
            self._gap, self._value = gap, value
            self._stalled = 0
        else:
            self._stalled += 1
        return self._stalled > self.patience, 0.0

    def get_next_stop_val(self, stop_val):
        if self.strategy == "tolerance":
            if stop_val == INFINITY:
                return 1.0
            return max(stop_val / TOLERANCE_RATIO, MIN_TOLERANCE)
        return max(stop_val + 1, int(ITERATION_RATIO * stop_val))
