from benchopt import BasePlot

from benchmark_utils.report import not_run

WORDS = {"skip": "cannot", "not installed": "not installed"}


class Plot(BasePlot):
    """What was asked for and did not run, and why: failures are shown.

    A line a solver and reason, with the number of problems; what failed
    comes first.
    """

    name = "not_run"
    type = "table"

    def plot(self, df):
        entries = not_run.read(df)
        if entries is None:
            return [["", "not known", "`make run` notes it", "", ""]]
        problems = {}
        for one in entries:
            solver = one["solver"] or "all solvers"
            what = WORDS.get(one["status"], "failed")
            problems.setdefault((what, solver, one["reason"]), []).append(
                ", ".join(filter(None, [one["dataset"], one["objective"]]))
            )
        order = ["failed", "not installed", "cannot"]
        rows = [
            [solver, what, reason, len(where), where[0]]
            for (what, solver, reason), where in sorted(
                problems.items(), key=lambda one: (order.index(one[0][0]), one)
            )
        ]
        return rows or [["", "everything ran", "", "", ""]]

    def get_metadata(self, df):
        return {
            "title": "What did not run, and why",
            "columns": ["solver", "what", "reason", "problems", "the first"],
            "default_order_ascending": False,
            "default_order_column": 1,
        }
