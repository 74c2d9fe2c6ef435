"""Draw README's figure: certified gaps over time, from a result file.

    python tools/readme_figure.py [RESULT.parquet]

Without an argument, the newest file in outputs/ is taken. The figure goes to
docs/convergence.svg; its caption, with the date, the versions and the
machine, is printed for README.
"""
import argparse
import sys
from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmark_utils.results import curve_over_time  # noqa: E402

# The best variant of each family, so that the curves can be told apart
SHOWN = {
    "auto-newton": "auto-newton (ours, numba)",
    "raw-newton": "raw Newton (numba)",
    "loop-fused-newton": "loop-fused Newton (numba)",
    "scipy[method=Newton-CG]": "SciPy Newton-CG",
    "scipy[method=L-BFGS-B]": "SciPy L-BFGS-B",
    "sklearn[solver=lbfgs]": "scikit-learn lbfgs",
    "sklearn[solver=liblinear]": "scikit-learn liblinear",
    "sklearn[solver=newton-cholesky]": "scikit-learn newton-cholesky",
    "sklearn[solver=saga]": "scikit-learn saga",
    "proximal-gradient[accelerated=True,compiled=True,step=fixed]":
        "accelerated proximal gradient (numba)",
    "proximal-gradient[accelerated=False,compiled=True,step=fixed]":
        "proximal gradient (numba)",
    "proximal-gradient[accelerated=False,compiled=False,step=fixed]":
        "proximal gradient (Python)",
}
PANELS = [
    ("breast_cancer", "l1=0.0", "breast_cancer, L2"),
    ("n_features=10,n_samples=200", "l1=0.0", "200 x 10 Gaussian, L2"),
    ("breast_cancer", "l1=0.1", "breast_cancer, L1"),
]


def draw(df, path):
    figure, axes = plt.subplots(
        1, len(PANELS), figsize=(12, 4.6), sharey=True
    )
    colors = plt.get_cmap("tab20").colors
    for axis, (dataset, penalty, title) in zip(axes, PANELS, strict=True):
        problem = df[
            df["dataset_name"].str.contains(dataset, regex=False)
            & df["objective_name"].str.contains(penalty, regex=False)
        ]
        for (name, label), color in zip(SHOWN.items(), colors, strict=False):
            runs = problem[problem["solver_name"] == name]
            if runs.empty:
                continue
            curve = curve_over_time(runs, "objective_relative_gap")
            axis.loglog(
                curve["x"], curve["y"], ".-", ms=3, lw=1.3, color=color,
                label=label,
            )
        axis.set(title=title, xlabel="time [s]", ylim=(1e-13, 2))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("certified relative gap")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=4, loc="lower center", fontsize=8)
    figure.tight_layout(rect=(0, 0.14, 1, 1))
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result", nargs="?", type=Path)
    result = parser.parse_args().result
    if result is None:
        results = sorted(
            (ROOT / "outputs").glob("*.parquet"),
            key=lambda path: path.stat().st_mtime,
        )
        if not results:
            parser.error("outputs/ has no result: run `make run` first.")
        result = results[-1]
    df = pd.read_parquet(result)
    plt.rcParams["svg.hashsalt"] = "readme"
    draw(df, ROOT / "docs" / "convergence.svg")
    info = df.iloc[0]
    print(
        f"{info['run_date'][:10]}, {info['system-processor']}, "
        f"{info['system-cpus']} cores, numpy {info['version-numpy']}, "
        f"scipy {info['version-scipy']}"
    )


if __name__ == "__main__":
    main()
