"""Run the benchmark, say how much is left, end what hangs, write its page.

    python -m tools.run.run_benchmark [--hard-limit SECONDS] [--strict]
        [options of `benchopt run`]

It is `benchopt run .` with four additions. Every ten seconds (in a log: every
minute) it says how many runs are left and about how long they will take, at
the end what failed. Solvers take turns, one
repetition each (taking_turns.py). The page that it writes (see
make_page.py) needs no network. And a library that never returns, or takes the
whole process down with it, costs its own curve only: benchopt runs in a
process of its own (guarded_run.py), which this one ends after the hard limit
and starts again. benchopt keeps every finished curve in __cache__, so that
goes on where it stopped, as the same command does after an interruption.

The hard limit of a curve is by default two minutes, in which everything is
compiled, and twice the run's `timeout`, at which a solver that returns stops.
Nothing is ended in a parallel run (`-j`), nor with --no-cache or --pdb. With
--strict the exit code is 1 where a solver or a dataset failed; as with
`benchopt run` it is otherwise 0 where there is a result.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GUARDED = "tools.run.guarded_run"
# What the two processes tell each other is in files of this folder
FOLDER = "BENCHMARK_GUARD_FOLDER"
LIMIT = "BENCHMARK_HARD_LIMIT"
STRICT = "BENCHMARK_STRICT"
NOT_GUARDED = {"--pdb", "--no-cache", "--help", "-h"}
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_STOP = 10


def supervise(arguments, limit=None, strict=False):
    """Run benchopt until it ends by itself; return its exit code."""
    environment = dict(os.environ)
    if limit is not None:
        environment[LIMIT] = str(limit)
    if strict:
        environment[STRICT] = "1"
    ended = []
    with tempfile.TemporaryDirectory() as folder:
        if NOT_GUARDED.isdisjoint(arguments):
            environment[FOLDER] = folder
        while True:
            Path(folder, "ended.json").write_text(json.dumps(ended))
            code, culprit = run_and_watch(arguments, environment, folder)
            if culprit is None:
                return code
            ended.append(culprit)
            Path(folder, "now.json").unlink()
            dataset, objective, solver = culprit["key"]
            print(
                f"\n{solver} on {dataset}, {objective}: {culprit['reason']}. "
                "The run goes on without it.", flush=True,
            )


def run_and_watch(arguments, environment, folder):
    """One process of benchopt: its exit code, and which curve ended it."""
    child = subprocess.Popen(
        [sys.executable, "-m", GUARDED, *arguments], env=environment,
        # closed when this process dies, which the other one notices
        stdin=subprocess.PIPE if FOLDER in environment else None,
        # a signal is passed on once, and what the child started ends with it
        start_new_session=os.name == "posix" and FOLDER in environment,
    )
    culprit, least = None, 0
    try:
        culprit = watch(child, Path(folder, "now.json"))
    except KeyboardInterrupt:
        stop(child)
        least = 128 + signal.SIGINT
    finally:
        kill(child)
    code = child.wait() or least
    return code if code >= 0 else 128 - code, culprit


def watch(child, now):
    """Wait for the end of a process; {"key", "reason"} of what ended it."""
    seen, since = None, time.monotonic()
    while True:
        try:
            code = child.wait(SECONDS_BETWEEN_LOOKS)
        except subprocess.TimeoutExpired:
            code = None
        current = running(now)
        if code is not None:
            reason = f"it ended the whole process ({in_words(code)})"
            break
        if current != seen:
            seen, since = current, time.monotonic()
        elif current and time.monotonic() - since > current["limit"]:
            reason = f"it did not return within {current['limit']:g} s"
            break
    return current and {"key": current["key"], "reason": reason}


def running(now):
    """The curve that is computed at this moment, if any."""
    try:
        return json.loads(now.read_text())
    except FileNotFoundError:
        # the other process removes it at the end of each curve
        return None


def stop(child):
    """Interrupt a process and give it the time to say so."""
    if os.name == "posix":
        child.send_signal(signal.SIGINT)
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        print("It does not stop and is ended.", flush=True)


def kill(child):
    """End a process and what it started."""
    if child.poll() is None:
        if os.name == "posix" and os.getpgid(child.pid) == child.pid:
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()


def in_words(code):
    if code < 0:
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"exit code {code}"


def main():
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--hard-limit", type=float)
    parser.add_argument("--strict", action="store_true")
    own, arguments = parser.parse_known_args()
    if own.hard_limit is not None and not own.hard_limit > 0:
        parser.error("--hard-limit is a number of seconds above 0.")
    sys.exit(supervise(arguments, own.hard_limit, own.strict))


if __name__ == "__main__":
    main()
