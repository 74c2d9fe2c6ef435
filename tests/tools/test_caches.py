"""What an edit computes anew, and what it compiles, with the real commands."""
import pandas as pd
import pytest

ARGUMENTS = [
    "run", ".", "--no-display", "--no-plot", "-d", "breast_cancer",
    "-s", "raw-newton", "-s", "auto-newton", "-n", "9",
]
UTILS = "benchmark_utils"


class Tried:
    """A copy of the benchmark that is run again after each edit."""

    def __init__(self, copy, benchopt, compiled):
        self.copy, self.benchopt, self.cache = copy, benchopt, compiled
        self.runs, self.times, self.files = 0, None, set()

    def run(self):
        """Run it: (whether curves were computed, functions compiled)."""
        self.runs += 1
        name = f"run{self.runs}"
        output = self.benchopt(
            self.copy, *ARGUMENTS, "--output", name,
            NUMBA_CACHE_DIR=str(self.cache),
        )
        times = pd.read_parquet(
            self.copy / "outputs" / f"{name}.parquet"
        )["time"].tolist()
        files = set(self.cache.rglob("*.nbc"))
        computed, compiled = times != self.times, files > self.files
        assert computed == ("(cached)" not in output)
        self.times, self.files = times, files
        return computed, compiled

    def after(self, *path, old=None, new=None):
        """Edit a file and run it."""
        file = self.copy.joinpath(*path)
        text = file.read_text()
        if old is None:
            text += "\n# edited\n"
        else:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)
        return self.run()


@pytest.fixture
def tried(copy, benchopt, tmp_path):
    made = Tried(copy, benchopt, tmp_path / "compiled")
    assert made.run() == (True, True)
    return made


@pytest.mark.slow
def test_an_edit_costs_what_depends_on_it(tried):
    nothing, curves, everything = (
        (False, False), (True, False), (True, True)
    )
    assert tried.run() == nothing
    assert tried.after(UTILS, "report", "summary.py") == nothing
    assert tried.after(UTILS, "data", "scaling.py") == nothing
    assert tried.after("plots", "winners.py") == nothing
    # other data
    assert tried.after(
        UTILS, "data", "scaling.py", old="np.where(constant, 1, spread)",
        new="np.where(constant, 1, 2 * spread)",
    ) == curves
    assert tried.after(UTILS, "problem", "certificate.py") == curves
    assert tried.after(UTILS, "wiring", "base_solver.py") == curves
    assert tried.after(UTILS, "baselines", "newton_kernels.py") == everything
    assert tried.after(UTILS, "fenchel", "fit.py") == everything
