"""When a curve ends, and where it is sampled."""
from types import SimpleNamespace

from benchopt.stopping_criterion import INFINITY

from benchmark_utils.problem.stopping import CertifiedGap


def runner(strategy="iteration", **arguments):
    solver = SimpleNamespace(sampling_strategy=strategy)
    return CertifiedGap(**arguments).get_runner_instance(
        solver=solver, max_runs=1000, timeout=None
    )


def follow(criterion, gaps, values=None):
    """Feed a curve; the index at which it stops, or None."""
    curve = []
    for i, gap in enumerate(gaps):
        value = 1.0 if values is None else values[i]
        curve.append(
            dict(objective_relative_gap=gap, objective_value=value)
        )
        stop, status, _ = criterion.should_stop(i, curve)
        if stop:
            return i, status
    return None


def test_ends_at_the_target():
    assert follow(runner(), [1, 1e-3, 1.1e-10, 1e-10, 0]) == (3, "done")


def test_ends_without_progress_but_not_before():
    assert follow(runner(patience=4), [1, 0.5] + 20 * [0.49]) == (6, "done")
    # ever so slowly, but it moves
    assert follow(runner(patience=4), [0.97**i for i in range(60)]) is None


def test_a_falling_value_is_progress_while_the_gap_is_one():
    values = [1.0 * 0.98**i for i in range(60)]
    assert follow(runner(patience=4), 60 * [1.0], values) is None
    assert follow(runner(patience=4), 60 * [1.0]) == (5, "done")


def follow_violations(violations, values):
    """The same where F is not convex: no gap is there."""
    criterion, curve = runner(patience=4), []
    for i, (violation, value) in enumerate(
        zip(violations, values, strict=True)
    ):
        curve.append(dict(
            objective_relative_violation=violation, objective_value=value
        ))
        stop, status, _ = criterion.should_stop(i, curve)
        if stop:
            return i, status
    return None


def test_a_violation_stands_in_the_place_of_a_gap():
    assert follow_violations([10, 1e-3, 1.1e-9, 1e-9, 0], 5 * [1.0]) == (
        3, "done"
    )
    # it may begin far above one, and rise, while the value falls
    falling = [0.999**i for i in range(60)]
    assert follow_violations([1e9 * 1.1**i for i in range(60)], falling) is (
        None
    )
    assert follow_violations(60 * [1e-3], 60 * [1.0]) == (5, "done")
    assert follow_violations([1.0, 1.0], [1.0, 1e9]) == (1, "diverged")


def test_nan_is_divergence():
    assert follow(runner(), [1, float("nan")]) == (1, "diverged")


def test_iterations_on_a_fixed_grid():
    criterion = runner()
    stop_val, grid = criterion.init_stop_val(), []
    for _ in range(12):
        grid.append(stop_val)
        stop_val = criterion.get_next_stop_val(stop_val)
    assert grid == [0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 18]


def test_tolerances_two_a_decade():
    criterion = runner("tolerance")
    stop_val = criterion.init_stop_val()
    assert stop_val == INFINITY
    grid = []
    for _ in range(40):
        stop_val = criterion.get_next_stop_val(stop_val)
        grid.append(stop_val)
    assert grid[0] == 1
    assert abs(grid[2] - 0.1) < 1e-12
    assert min(grid) == grid[-1] == 1e-16


def test_one_instance_serves_every_strategy():
    shared = CertifiedGap()
    for strategy in ("iteration", "tolerance", "callback", "run_once"):
        solver = SimpleNamespace(sampling_strategy=strategy)
        instance = shared.get_runner_instance(
            solver=solver, max_runs=5, timeout=1
        )
        assert instance.strategy == strategy
    assert shared.strategy is None


def test_the_clock_starts_after_the_warm_up(monkeypatch):
    criterion = CertifiedGap().get_runner_instance(
        solver=SimpleNamespace(sampling_strategy="iteration"),
        max_runs=5, timeout=10,
    )
    criterion._deadline -= 100
    criterion.init_stop_val()
    assert follow(criterion, [1, 0.5, 0.1]) is None
