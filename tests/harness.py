"""Run solvers the way benchopt does, without its files and its terminal."""
from types import SimpleNamespace

import numpy as np
from benchopt import BaseDataset
from benchopt.benchmark import Benchmark
from benchopt.utils.parametrized_name_mixin import product_param

from benchmark_utils.wiring.benchopt_private import (
    Callback,
    attach,
    start_solver,
    stopping_criterion_of,
    warm_up,
)
from conftest import ROOT

BENCHMARK = Benchmark(ROOT)
DATASETS = {cls.name: cls for cls in BENCHMARK.get_datasets()}
SOLVERS = {cls.name: cls for cls in BENCHMARK.get_solvers()}
OBJECTIVE = BENCHMARK.get_benchmark_objective()


def dataset(name, /, **parameters):
    instance = DATASETS[name].get_instance(**parameters)
    attach(dataset=instance)
    return instance


def objective(l1=0.0, l2=0.0, fit_intercept=False, **more):
    return OBJECTIVE.get_instance(
        l1=l1, l2=l2, fit_intercept=fit_intercept, **more
    )


def solver(name):
    """An instance from its name in a plot: `scipy[method=L-BFGS-B]`."""
    (found,) = [one for one in all_solvers() if str(one) == name]
    return found


def all_solvers():
    """Every installed solver with every value of its parameters."""
    for cls in SOLVERS.values():
        if cls.is_installed():
            for parameters in product_param(cls.parameters):
                yield cls.get_instance(**parameters)


class Data(BaseDataset):
    """A dataset made from arrays."""

    name = "data"

    def get_data(self):
        return self.data


def set_problem(problem, data):
    """Give data (a dataset, or a dict of arrays) to an objective."""
    if isinstance(data, dict):
        arrays, data = data, Data.get_instance()
        data.data = arrays
    attach(problem, data)
    return problem.load(data)


def run_to_the_end(
    one, problem, data, n_iter=None, max_runs=200, timeout=30, target=None
):
    """Sample a curve as benchopt's runner does.

    Returns a namespace with `skipped` (a reason or None), `points` (the
    metrics of each point), `coef` and `intercept` of the last one. With
    `n_iter` there is one point, after that many iterations; with `target`
    the curve ends at that relative gap.
    """
    skip, reason = set_problem(problem, data)
    assert not skip, reason
    attach(problem, data, one)
    skip, reason = start_solver(one, problem)
    if skip:
        return SimpleNamespace(skipped=reason, points=[])
    criterion = stopping_criterion_of(
        one, max_runs=max_runs, timeout=timeout
    )
    if target is not None:
        criterion.target = criterion.violation_target = target
    warm_up(one)
    curve, stop = [], False
    if one.sampling_strategy == "callback":
        callback = Callback(problem, one, {}, criterion)
        callback.start()
        one.run(callback)
        curve, _, result = callback.get_results()
        stop = True
    else:
        stop_val = criterion.init_stop_val() if n_iter is None else n_iter
    while not stop:
        one.pre_run_hook(stop_val)
        one.run(stop_val)
        result = one.get_result()
        (point,) = problem(result)
        curve.append(point)
        if n_iter is not None:
            break
        stop, _, stop_val = criterion.should_stop(stop_val, curve)
    return SimpleNamespace(
        skipped=None,
        points=[
            {name.removeprefix("objective_"): value
             for name, value in point.items()
             if name.startswith("objective_")}
            for point in curve
        ],
        coef=np.array(result["coef"], dtype=float),
        intercept=np.squeeze(result.get("intercept", 0.0)),
    )
