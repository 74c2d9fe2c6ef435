"""A run says how much is left, and goes on where it was interrupted."""
import io
import os
import pickle
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from benchopt.utils.terminal_output import colorify

from tools.run import guarded_run, run_benchmark
from tools.run import progress as terminal
from tools.run.progress import Plain, Progress, in_words

SLOW = '''
import time

import numpy as np

from benchmark_utils.wiring.base_solver import LogisticSolver


class Solver(LogisticSolver):
    """Gradient descent that takes its time."""

    name = "slow"
    sampling_strategy = "iteration"
    parameters = {"number": list(range(6))}

    def solve(self, n_iter):
        time.sleep(0.05)
        self.coef = np.zeros(self.X.shape[1])
'''.replace("list(range(6))", "[0, 1, 2, 3, 4, 5]")
ARGUMENTS = [
    "-d", "simulated[n_samples=10,n_features=2]", "-s", "slow", "-n", "8",
    "-r", "2", "--no-display", "--output", "tried",
]
# Windows sends no SIGINT to one process
HOW = ["kill"] + ["interrupt"] * (os.name == "posix")


@pytest.fixture
def folder(copy):
    (copy / "solvers" / "slow.py").write_text(SLOW)
    return copy


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tools.run.run_benchmark", *ARGUMENTS,
         *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def finish(process):
    output = process.communicate(timeout=300)[0].replace("\r", "\n")
    return output, process.returncode


def wait_for(process, pattern):
    read = ""
    while not re.search(pattern, read):
        part = process.stdout.read(1)
        assert part, read
        read += part
    return read


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_an_interrupted_run_goes_on(folder, how):
    process = start(folder)
    # the others before it have had both
    wait_for(process, r"slow\[number=2\]: done")
    time.sleep(0.1)
    if how == "kill":
        process.kill()
    else:
        process.send_signal(signal.SIGINT)
    output, code = finish(process)
    assert code != 0
    assert not list((folder / "outputs").glob("*.parquet"))
    if how == "interrupt":
        (ended,) = re.findall(r"Interrupted after (\d+) of 12 runs", output)
        assert 9 <= int(ended) <= 11

    output, code = finish(start(folder))
    assert code == 0, output
    cached = re.findall(r"slow\[number=(\d)\].*\(cached\)", output)
    assert cached[:3] == ["0", "1", "2"]
    assert "5" not in cached
    df = pd.read_parquet(folder / "outputs" / "tried.parquet")
    curves = df.groupby(["solver_name", "idx_rep"]).size()
    assert len(curves) == 12
    assert curves.nunique() == 1
    assert "[12 of 12 runs, 0 left]" in output


@pytest.mark.slow
def test_page_is_written_and_needs_no_network(folder):
    output, code = finish(start(folder))
    assert code == 0, output
    assert "12 runs" in output
    (page,) = re.findall(r"Page: (\S+)", output)
    text = (folder / page).read_text(encoding="utf-8")
    assert not re.findall(r'<(?:script|link)[^>]*(?:src|href)="http', text)
    # nothing of benchopt's own page
    assert len(list((folder / "outputs").glob("*.html"))) == 1


@pytest.mark.slow
def test_parallel_runs_are_counted(folder):
    output, code = finish(start(folder, "-j", "2", "--no-plot"))
    assert code == 0, output
    assert "[12 of 12 runs, 0 left]" in output


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_log_is_plain():
    stream = io.StringIO()
    log = Plain(stream)
    print(colorify("done", 32).ljust(40), file=log)
    print("\r  Page", file=log, flush=True)
    assert stream.getvalue() == "done\n  Page\n"


class Lost:
    """A dataset that did not load."""

    failure = "no network"

    def __str__(self):
        return "lost"


def test_what_failed_is_said_and_decides_the_exit_code(monkeypatch, capsys):
    one = progress()
    one.show_status("not installed")
    assert guarded_run.say_what_is_missing(one) == 0
    one.show_status("error", "it crashes")
    one.dataset = Lost()
    one.skip("no network", objective=True)
    assert guarded_run.say_what_is_missing(one) == 0
    assert "--strict" in capsys.readouterr().out.splitlines()[-1]
    monkeypatch.setenv(run_benchmark.STRICT, "1")
    assert guarded_run.say_what_is_missing(one) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Not installed: 1 solver, s.")
    assert said[-1] == "Failed: 2, lost, s."


def progress(total=20):
    one = Progress(1, False, total=total, clock=Clock())
    one.set(dataset="d", objective="o", solver="s", i_solver=0)
    return one


def test_time_left(capsys):
    one = progress()
    for seconds in (30, 2, 2, 2, 2):
        one.clock.now += seconds
        one.show_status("done")
    # the longest, which compiled, left out
    assert one.line() == "[5 of 20 runs, 15 left, about 30 s]"
    # what comes from the cache says nothing about the time
    for _ in range(5):
        one.show_status("done", cached=True)
    assert one.line() == "[10 of 20 runs, 10 left, about 20 s]"
    assert "[1 of 20 runs, 19 left]" in capsys.readouterr().out


def test_a_problem_that_is_skipped_counts_for_all_its_runs():
    one = progress()
    one.n_repetitions = 3
    one.skip("no penalty", objective=True)
    assert one.ended == 3
    one.show_status("not installed")
    assert one.ended == 3


def test_goes_to_workers():
    pickle.loads(pickle.dumps(progress()))


@pytest.mark.parametrize("seconds, text", [
    (5, "5 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"),
    (12345, "3 h 26 min"),
])
def test_times_in_words(seconds, text):
    assert in_words(seconds) == text


def test_an_interrupt_that_was_swallowed_ends_the_run(monkeypatch):
    monkeypatch.setattr(terminal, "_interrupts", [signal.SIGINT])
    with pytest.raises(KeyboardInterrupt):
        Progress(total=3).count(1)
