"""Run the benchmark, saying how much is left, and write its page.

    python tools/run_benchmark.py [options of `benchopt run`]

It is `benchopt run .` with two additions. Every ten seconds it says how many
runs are left and about how long they will take; and the page that it writes
(see make_page.py) needs no network. Interrupted or killed, the same command
goes on where it stopped: benchopt keeps every finished curve in __cache__.
"""
import os
import sys
import time
import webbrowser
from pathlib import Path

from benchopt import runner
from benchopt.benchmark import _list_parametrized_classes
from benchopt.cli.main import run
from benchopt.utils.terminal_output import TerminalOutput

from make_page import make_page

ROOT = Path(__file__).resolve().parent.parent
SECONDS_BETWEEN_LINES = 10
# No estimate from fewer
FEWEST_RUNS = 5


class Progress(TerminalOutput):
    """benchopt's terminal, which also counts the runs that have ended.

    A run is one repetition of one solver on one problem. The time left is
    the mean time of the runs so far times the number of runs left. Runs from
    the cache do not count, nor does the longest one: the first run compiles,
    which took 16 of the first 26 seconds of configs/quick.yml.

    Parameters
    ----------
    total : int
        How many runs there are.
    clock : callable
        The time in seconds.
    """

    def __init__(
        self, n_repetitions=None, show_progress=None, total=0,
        clock=time.monotonic,
    ):
        super().__init__(n_repetitions, show_progress)
        self.total, self.clock, self.counting = total, clock, True
        self.ended = self.computed = 0
        self.seconds = self.longest = 0.0
        self.last_end = self.last_line = clock()

    def __getstate__(self):
        # goes to the workers of a parallel run, which do not count
        return self.__dict__ | {"clock": time.monotonic}

    def skip(self, reason=None, objective=False):
        # before the repetitions of a solver are set up
        self.counting = False
        super().skip(reason, objective)
        self.counting = True
        self.count(self.n_repetitions or 1)

    def show_status(self, status, reason=None, dataset=False,
                    objective=False, cached=False):
        super().show_status(status, reason, dataset, objective, cached)
        if self.counting and status != "not installed":
            self.count(1, cached)

    def count(self, runs, cached=False):
        now = self.clock()
        self.ended += runs
        if not cached:
            self.computed += runs
            self.seconds += now - self.last_end
            self.longest = max(self.longest, now - self.last_end)
        self.last_end = now
        if now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            print(self.line(), flush=True)

    def line(self):
        left = self.total - self.ended
        text = f"[{self.ended} of {self.total} runs, {left} left"
        if self.computed >= FEWEST_RUNS and left:
            mean = (self.seconds - self.longest) / (self.computed - 1)
            text += f", about {in_words(mean * left)}"
        return text + "]"


def in_words(seconds):
    """A time as one says it: 50 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def count_runs(solvers, datasets, objectives, n_repetitions):
    """The number of runs of what is installed."""
    n_datasets, n_objectives, n_solvers = (
        sum(installed for _, installed in _list_parametrized_classes(
            *classes, check_installed=checked
        ))
        for classes, checked in (
            (datasets, True), (objectives, False), (solvers, True)
        )
    )
    return n_datasets * n_objectives * n_solvers * n_repetitions


def run_with_progress(run_all):
    """Wrap benchopt's `_run_benchmark`: count, and write our page."""

    def wrapped(benchmark, solvers, forced_solvers, *, datasets, objectives,
                n_repetitions=None, plot_result=True, display=True,
                html=True, **arguments):
        if n_repetitions is not None:
            arguments["n_repetitions"] = n_repetitions
        total = count_runs(
            solvers, datasets, objectives, n_repetitions or 1
        )
        print(f"{total} runs", flush=True)
        progress = None

        def terminal(n_repetitions, show_progress):
            nonlocal progress
            progress = Progress(n_repetitions, show_progress, total)
            return progress

        runner.TerminalOutput = terminal
        try:
            code, result = run_all(
                benchmark, solvers, forced_solvers, datasets=datasets,
                objectives=objectives, html=html, display=display,
                plot_result=plot_result and not html, **arguments,
            )
        except (KeyboardInterrupt, SystemExit):
            ended = progress.ended - 1 if progress else 0
            print(
                f"\nInterrupted after {max(ended, 0)} of {total} runs. The "
                "same command goes on there; with --collect it writes what "
                "there is."
            )
            raise
        finally:
            runner.TerminalOutput = TerminalOutput
        print(progress.line())
        if result is not None and plot_result and html:
            page = make_page(result)
            print(f"Page: {os.path.relpath(page)}")
            if display:
                webbrowser.open_new_tab(page.resolve().as_uri())
        return code, result

    return wrapped


def main():
    runner._run_benchmark = run_with_progress(runner._run_benchmark)
    run([str(ROOT), *sys.argv[1:]], prog_name="tools/run_benchmark.py")


if __name__ == "__main__":
    main()
