from benchopt import BasePlot

from benchmark_utils.report.labels import label
from benchmark_utils.report.results import curve_over_time
from benchmark_utils.report.styles import styles

METRICS = {
    "test_log_loss": "Mean log-loss on held-out samples",
    "test_accuracy": "Accuracy on held-out samples",
    "n_nonzeros": "Coefficients that are not zero",
    "peak_memory": "Peak memory of a run, in units of X",
    "coef_error": "Mean squared distance to the true coefficients",
}


class Plot(BasePlot):
    """A test metric, the sparsity or the memory of the solution over time."""

    name = "metric_over_time"
    type = "scatter"
    options = {
        "dataset": ..., "objective": ...,
        "metric": lambda df: [
            name for name in METRICS if f"objective_{name}" in df
            and df[f"objective_{name}"].notna().any()
        ] or ["n_nonzeros"],
    }

    def plot(self, df, dataset, objective, metric):
        style = styles(df)
        column = f"objective_{metric}"
        problem = df[
            (df["dataset_name"] == dataset)
            & (df["objective_name"] == objective)
        ]
        if column not in problem or problem[column].isna().all():
            return []
        return [
            {
                **curve_over_time(runs, column, positive=False),
                "label": solver,
                **style[solver],
            }
            for solver, runs in problem.groupby("solver_name")
        ]

    def get_metadata(self, df, dataset, objective, metric):
        return {
            "title": f"{dataset}\n{label(objective)}",
            "xlabel": "Time [s]",
            "ylabel": METRICS[metric],
            "scale": "semilog-x",
        }
