"""benchopt's `run`, watched by run_benchmark.py, which starts it.

Around every curve it leaves a note of what is running and for how long it
may, and it leaves out what was ended before, with the reason. What did not
run is kept in the result file (benchmark_utils/report/not_run.py). Solvers
take turns (taking_turns.py).
"""
import json
import os
import sys
import threading
import traceback
import webbrowser
from pathlib import Path

from benchopt import runner
from benchopt.cli.main import run
from benchopt.utils import pdb_helpers
from benchopt.utils.terminal_output import TerminalOutput

from benchmark_utils.report import not_run
from benchmark_utils.wiring.benchopt_private import instances, replace_run
from benchmark_utils.wiring.libraries import Library
from tools import ROOT
from tools.page.make_page import make_page
from tools.run.progress import Progress, plain_output, remember_interrupts
from tools.run.run_benchmark import FOLDER, LIMIT, STRICT
from tools.run.taking_turns import generate_run_kwargs

# To compile everything took 40 s on a slow machine
SECONDS_TO_COMPILE = 120
# benchopt's own default
TIMEOUT = 100


class Guard:
    """Wrap benchopt's function that computes a curve.

    Parameters
    ----------
    run : callable
        Takes keyword arguments, returns (curve, key, status, reason); its
        `check_call_in_cache` says whether the answer is known.
    folder : pathlib.Path
        Where the notes are.
    limit : float, optional
        Seconds that a curve may take.
    """

    def __init__(self, run, folder, limit=None):
        self.run, self.limit = run, limit
        self.check_call_in_cache = run.check_call_in_cache
        self.now = folder / "now.json"
        ended = json.loads((folder / "ended.json").read_text())
        self.ended = {tuple(one["key"]): one["reason"] for one in ended}

    def __call__(self, **arguments):
        meta = arguments["meta"]
        key = tuple(
            meta[f"{what}_name"] for what in ("dataset", "objective", "solver")
        )
        if key in self.ended and not self.check_call_in_cache(**arguments):
            return [], key, "error", self.ended[key]
        limit = self.limit or (
            SECONDS_TO_COMPILE + 2 * (arguments["timeout"] or TIMEOUT)
        )
        note = {"key": key, "limit": limit, "repetition": meta["idx_rep"]}
        written = self.now.with_suffix(".new")
        written.write_text(json.dumps(note))
        written.replace(self.now)
        try:
            curve, key, status, reason = self.run(**arguments)
        finally:
            self.now.unlink()
        if status == "error":
            reason = last_error.text
        return curve, key, status, reason


class LastError:
    """Stands in for the module `traceback`, which prints what failed."""

    text = ""

    def print_exc(self):
        _, error, _ = sys.exc_info()
        self.text = traceback.format_exception_only(error)[-1].strip()
        traceback.print_exc()


last_error = LastError()


def guarded(parallel_run):
    """Wrap benchopt's `parallel_run`: guard it where it is not parallel."""

    def wrapped(benchmark, run, arguments, config, collect=False):
        alone = {"backend": "loky", "n_jobs": 1}
        asked = {k: v for k, v in (config or {}).items() if v is not None}
        if FOLDER in os.environ and alone | asked == alone:
            limit = float(os.environ.get(LIMIT, 0)) or None
            run = Guard(run, Path(os.environ[FOLDER]), limit)
        return parallel_run(benchmark, run, arguments, config, collect)

    return wrapped


def end_with_the_parent():
    """End this process when the one that started it has died."""

    def wait():
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def count_runs(solvers, datasets, objectives, n_repetitions):
    """The number of runs of what is installed."""
    n_datasets, n_objectives, n_solvers = (
        sum(installed for _, installed in instances(
            *classes, check_installed=checked
        ))
        for classes, checked in (
            (datasets, True), (objectives, False), (solvers, True)
        )
    )
    return n_datasets * n_objectives * n_solvers * n_repetitions


def what_is_missing(solvers):
    """{name: what is missing and how to install it} of benchopt's list."""
    needed = {
        cls.name: getattr(cls, "needs", None) for cls, _ in solvers
    }
    return {
        name: f"{needs.missing}: {needs.how}"
        for name, needs in needed.items() if needs and needs.missing
    }


def run_with_progress(run_all):
    """Wrap benchopt's run of a benchmark: count, and write our page."""

    def wrapped(benchmark, solvers, forced_solvers, **asked):
        asked = {"display": True, "html": True, "plot_result": True} | asked
        total = count_runs(
            solvers, asked["datasets"], asked["objectives"],
            asked.get("n_repetitions") or 1,
        )
        print(f"{total} runs", flush=True)
        made = []

        def terminal(n_repetitions, show_progress):
            made.append(Progress(
                n_repetitions, show_progress, total, what_is_missing(solvers),
                plain_output(),
            ))
            return made[-1]

        runner.TerminalOutput = terminal
        try:
            code, result = run_all(
                benchmark, solvers, forced_solvers, **asked | {
                    "plot_result": asked["plot_result"] and not asked["html"]
                },
            )
        except (KeyboardInterrupt, SystemExit):
            ended = made[0].ended - 1 if made else 0
            print(
                f"\nInterrupted after {max(ended, 0)} of {total} runs. The "
                "same command goes on there; with --collect it writes what "
                "there is."
            )
            raise
        finally:
            runner.TerminalOutput = TerminalOutput
        (progress,) = made
        print(progress.line())
        if result is not None and result.suffix == ".parquet":
            not_run.write(result, progress.not_run)
        if result is not None and asked["plot_result"] and asked["html"]:
            page = make_page(result)
            print(f"Page: {os.path.relpath(page)}")
            if asked["display"]:
                webbrowser.open_new_tab(page.resolve().as_uri())
        return max(code, say_what_is_missing(progress)), result

    return wrapped


def say_what_is_missing(progress):
    """Say at the end what is not installed and what failed; the exit code."""
    names = progress.not_installed()
    if names:
        print(
            f"Not installed: {len(names)} solver{'s' * (len(names) > 1)}, "
            f"{', '.join(names)}. The page says what each needs; "
            "`make solvers` installs most."
        )
    failed = progress.failed()
    if not failed:
        return 0
    strict = STRICT in os.environ
    print(
        f"Failed: {len(failed)}, {', '.join(failed)}."
        + " (--strict makes that the exit code 1.)" * (not strict)
    )
    return int(strict)


def main():
    if FOLDER in os.environ:
        end_with_the_parent()
    plain_output()
    remember_interrupts()
    # at the end, in one line
    Library.said = True
    runner.parallel_run = guarded(runner.parallel_run)
    pdb_helpers.traceback = last_error
    replace_run(run_with_progress)
    runner.generate_run_kwargs = generate_run_kwargs
    run(
        [str(ROOT), *sys.argv[1:]],
        prog_name="python -m tools.run.run_benchmark",
    )


if __name__ == "__main__":
    main()
