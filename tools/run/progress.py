"""benchopt's terminal, which also says how much is left."""
import re
import signal
import sys
import time

from benchopt.runner import FAILURE_STATUS, SUCCESS_STATUS
from benchopt.utils.terminal_output import TerminalOutput

# On a terminal, and in a log
SECONDS_BETWEEN_LINES, SECONDS_IN_A_LOG = 10, 60
# No estimate from fewer
FEWEST_RUNS = 5


# interrupts that came
_interrupts = []


def remember_interrupts():
    """Keep an interrupt in mind, as code in between may swallow it."""

    def handler(number, frame):
        _interrupts.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, handler)


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
    missing : dict, optional
        {solver: what is missing and how to install it}.
    plain : bool
        Whether it goes into a log: then nothing is shown of a curve before
        it has ended.
    clock : callable
        The time in seconds.
    """

    def __init__(
        self, n_repetitions=None, show_progress=None, total=0,
        missing=None, plain=False, clock=time.monotonic,
    ):
        super().__init__(n_repetitions, show_progress and not plain)
        self.between = SECONDS_IN_A_LOG if plain else SECONDS_BETWEEN_LINES
        self.missing = missing or {}
        self.total, self.clock, self.counting = total, clock, True
        self.ended = self.computed = 0
        self.seconds = self.longest = 0.0
        self.last_end = self.last_line = clock()
        self.noted = {}

    @property
    def not_run(self):
        """What did not run, a dict each (see `report.not_run`)."""
        names = ("dataset", "objective", "solver", "status", "reason")
        return [
            dict(zip(names, (*key, reason)))
            for key, reason in self.noted.items()
        ]

    def note(self, status, reason, dataset, objective):
        names = [str(self.dataset), str(self.objective), str(self.solver)]
        if dataset:
            names[1:] = ["", ""]
        elif objective:
            names[2] = ""
            # benchopt skips a dataset whose loading failed
            if getattr(self.dataset, "failure", None) is not None:
                status = "error"
        if status == "not installed":
            reason = self.missing.get(names[0] if dataset else names[2])
        self.noted[(*names, status)] = reason or ""

    def __getstate__(self):
        # goes to the workers of a parallel run, which do not count
        return self.__dict__ | {"clock": time.monotonic}

    def skip(self, reason=None, objective=False):
        # before the repetitions of a solver are set up
        self.counting = False
        super().skip(reason, objective)
        self.counting = True
        self.note("skip", reason, False, objective)
        self.count(self.n_repetitions or 1)

    def show_status(self, status, reason=None, dataset=False,
                    objective=False, cached=False):
        # what is not installed is said once, at the end
        if status != "not installed" or dataset:
            super().show_status(status, reason, dataset, objective, cached)
        if status == "error" and reason:
            print(f"    Reason: {reason}")
        if self.counting and status not in SUCCESS_STATUS:
            self.note(status, reason, dataset, objective)
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
        if now - self.last_line >= self.between:
            self.last_line = now
            print(self.line(), flush=True)
        if _interrupts:
            raise KeyboardInterrupt

    def line(self):
        left = self.total - self.ended
        text = f"[{self.ended} of {self.total} runs, {left} left"
        if self.computed >= FEWEST_RUNS and left:
            mean = (self.seconds - self.longest) / (self.computed - 1)
            text += f", about {in_words(mean * left)}"
        return text + "]"

    def failed(self):
        """Name what failed: solvers, and datasets that did not load."""
        return sorted({
            one["solver"] or one["dataset"] for one in self.not_run
            if one["status"] in FAILURE_STATUS
        })

    def not_installed(self):
        """Name the solvers that are not installed, without parameters."""
        return sorted({
            one["solver"].split("[")[0] for one in self.not_run
            if one["status"] == "not installed" and one["solver"]
        })


class Plain:
    """A stream without colours and padding, for what is no terminal."""

    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        text = re.sub("\033\\[[0-9;]*m|\r", "", text)
        return self.stream.write(re.sub(" +$", "", text, flags=re.M))

    def __getattr__(self, name):
        return getattr(self.stream, name)


def plain_output():
    """Write no colours where the output is no terminal; whether it is none."""
    if not sys.stdout.isatty() and not isinstance(sys.stdout, Plain):
        sys.stdout = Plain(sys.stdout)
    return isinstance(sys.stdout, Plain)


def in_words(seconds):
    """A time as one says it: 50 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
