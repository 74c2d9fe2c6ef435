"""Name all that this repository uses of benchopt and benchopt does not offer.

Tried with benchopt 1.10.0; requirements.txt allows 1.10 alone. A new version
of benchopt is tried by the tests: one compares `USED` with what is there,
another finds private names in any other file.
"""
from benchopt import BaseDataset, BaseObjective, BasePlot, BaseSolver, runner
from benchopt._generate_runs import _get_all_runs as all_runs
from benchopt._generate_runs import get_solver_kwargs
from benchopt.benchmark import _list_parametrized_classes as instances
from benchopt.callback import _Callback as Callback
from benchopt.utils import pdb_helpers
from benchopt.utils.run_context import RunContext

#: {owner: names}; of `runner` and `pdb_helpers` what tools/run replaces
USED = {
    BaseObjective: (
        "_set_dataset", "_get_state", "__setstate__", "_run_context",
        "_dataset_ready",
    ),
    BaseDataset: ("_get_data", "_run_context"),
    BaseSolver: (
        "_set_objective", "_stopping_criterion", "_warm_up", "_run_context",
        "_inherit_stopping_criterion",
    ),
    BasePlot: ("_check", "_get_all_plots"),
    runner: (
        "_run_benchmark", "parallel_run", "generate_run_kwargs",
        "TerminalOutput",
    ),
    pdb_helpers: ("traceback",),
    RunContext: ("set_run_context",),
}
#: set by benchopt on classes and instances: no class of its own has them
SET_LATER = ("_module_filename", "_warmup_done", "_parameters")

__all__ = [
    "Callback", "Objective", "all_runs", "attach", "file_of",
    "get_solver_kwargs", "instances", "pages_of", "parameters_of", "raw_data",
    "refuse_by", "repetition", "replace_run", "solver_name", "start_solver",
    "stopping_criterion_of", "twin", "warm_up", "warm_up_again",
]


class Objective(BaseObjective):
    """Give the two private hooks of benchopt's objective public names.

    What they are for has no public hook in benchopt 1.10: a dataset that
    raises would end the whole run and save nothing, and an edit in
    benchmark_utils would bring back results from the cache.
    """

    def load(self, dataset):
        """Give the data of a dataset to `set_data`; (skip, reason)."""
        return super()._set_dataset(dataset)

    def cache_key(self):
        """Return a dict of what the results depend on beyond parameters."""
        return {}

    def restore(self, cache_key):
        """Take the cache key of the objective of which this is a copy."""

    def _set_dataset(self, dataset):
        return self.load(dataset)

    def _get_state(self):
        return self.cache_key()

    def __setstate__(self, state):
        self.restore(state)


def raw_data(dataset):
    """Load the dict of a dataset's arrays, once."""
    return dataset._get_data()


def solver_name(objective):
    """Name the solver whose result an objective is given."""
    return getattr(objective._run_context, "solver_name", "this solver")


def repetition(solver):
    """Return the number of the repetition that a solver is run for."""
    return solver._run_context.repetition


def warm_up_again(solver):
    """Let benchopt warm a solver up again before its next run."""
    solver._warmup_done = False


def twin(solver):
    """Make a solver with the same parameters, in the same run."""
    other = type(solver).get_instance(**solver._parameters)
    other._run_context = solver._run_context
    return other


def attach(objective="", dataset="", solver=""):
    """Tell the parts of a run who they are, as benchopt does before one."""
    RunContext().set_run_context(
        objective, dataset, solver, repetition=0, base_seed=0
    )


def start_solver(solver, objective):
    """Give an objective to a solver; (skip, reason)."""
    return solver._set_objective(objective)


def refuse_by(explain):
    """Let benchopt skip a solver where `explain` has a reason.

    benchopt's own hook, `skip`, is the solver's: one that does not know of a
    problem cannot refuse it.

    Parameters
    ----------
    explain : callable
        Takes a solver and an objective; returns a reason or None.
    """
    plain = getattr(
        BaseSolver._set_objective, "plain", BaseSolver._set_objective
    )

    def set_objective(solver, objective):
        reason = explain(solver, objective)
        if reason is None:
            return plain(solver, objective)
        solver._objective = objective
        solver._inherit_stopping_criterion(objective)
        return True, reason

    set_objective.plain = plain
    BaseSolver._set_objective = set_objective


def stopping_criterion_of(solver, **options):
    """Make the criterion that ends a solver's curve."""
    return solver._stopping_criterion.get_runner_instance(
        solver=solver, **options
    )


def warm_up(solver):
    """Warm a solver up as benchopt does: once."""
    solver._warm_up()


def pages_of(plot, df):
    """Compute all pages of a plot: ({key: page}, {option: values})."""
    plot._check()
    return plot._get_all_plots(df)


def parameters_of(one):
    """Return the dict of a solver's or a dataset's parameters."""
    return one._parameters


def file_of(cls):
    """Return the path of the file that defines a solver or a dataset."""
    return cls._module_filename


def replace_run(wrap):
    """Replace benchopt's function that runs a benchmark by `wrap` of it."""
    runner._run_benchmark = wrap(runner._run_benchmark)
