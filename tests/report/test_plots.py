"""The plots and their statistics, on a result whose answers are known."""
import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark_utils.report import summary
from benchmark_utils.report.labels import label
from benchmark_utils.report.results import curve_over_time
from benchmark_utils.report.styles import styles
from benchmark_utils.wiring.benchopt_private import pages_of
from conftest import ROOT
from made_results import RATES, not_convex, result


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Plot


PLOTS = {path.stem: load(path) for path in (ROOT / "plots").glob("*.py")}
def plot(name, df, **options):
    return PLOTS[name]().plot(df, **options)


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize(
    "kind", [
        "usual", "alone", "stalled", "nobody", "failed", "NaN", "old",
        "not convex", "both",
    ]
)
def test_every_plot_with_every_option(name, kind):
    df = result()
    if kind == "alone":
        df = result({"auto-newton": 1.0}, sizes=((50, 5),), n_rep=1)
    elif kind == "stalled":
        slow = df["solver_name"] == "scipy"
        df = df[~slow | (df["objective_relative_gap"] > 1e-2)]
    elif kind == "nobody":
        df = df[df["objective_relative_gap"] > 1e-2]
    elif kind == "failed":
        df.attrs["not_run"] = json.dumps([
            entry(name, "error", "it crashes", size)
            for name, size in [
                ("crashes", 100), ("auto-newton", 1000), ("celer", 7),
            ]
        ])
        lost = df["dataset_name"] == "made[n_samples=1000]"
        df = df[~lost | (df["solver_name"] != "auto-newton")]
    elif kind == "NaN":
        df.loc[df["solver_name"] == "scipy", "objective_value"] = np.nan
    elif kind == "not convex":
        df = not_convex(df)
    elif kind == "both":
        df = pd.concat([df, not_convex(df)], ignore_index=True)
    elif kind == "old":
        df = df.drop(columns="final_results")
    one = PLOTS[name]()
    pages, _ = pages_of(one, df)
    assert pages
    for page in pages.values():
        json.dumps(page)
        assert page["title"]
        if one.type == "table":
            assert {len(row) for row in page["data"]} <= {
                len(page["columns"])
            }
        elif one.type == "scatter":
            for curve in page["data"]:
                assert len(curve["x"]) == len(curve["y"])


def test_times_to_a_certified_suboptimality():
    times = summary.times_to(result(), 1.5e-6)
    # the best bound is 1 - 1e-10, so the sixth point is at 1e-6
    assert times.loc[("made[n_samples=1000]", "F")].to_dict() == {
        name: 6.0 / rate for name, rate in RATES.items()
    }
    assert np.isinf(summary.times_to(result(), 1e-11)).all(axis=None)


def test_a_violation_stands_in_the_place_of_the_gap():
    """And the value beside it: solvers end at different points."""
    df = pd.concat([result(), not_convex(result())], ignore_index=True)
    times = summary.times_to(df, 2.1e-6)
    name = "F[l1=0.1,l2=0.0,penalty=mcp,gamma=10.0]"
    for objective in ("F", name):
        assert times.loc[("made[n_samples=1000]", objective)].to_dict() == {
            name: 6.0 / rate for name, rate in RATES.items()
        }
    problem = dict(dataset="made[n_samples=1000]", objective=name)
    one = PLOTS["time_to_accuracy"]()
    columns = one.get_metadata(df, **problem)["columns"]
    rows = one.plot(df, **problem)
    assert columns[-2:] == ["reached", "F / n"]
    assert [row[1] for row in rows] == list(RATES)
    assert [round(row[-1], 6) for row in rows] == [1.0, 1.0, 1.01]
    one = PLOTS["certified_gap"]()
    assert "Violation" in one.get_metadata(df, **problem)["ylabel"]
    (scipy,) = [
        curve for curve in one.plot(df, **problem) if curve["label"] == "scipy"
    ]
    assert min(scipy["y"]) == pytest.approx(2e-10)
    one = PLOTS["certified_suboptimality"]()
    assert "least F" in one.get_metadata(df, **problem)["ylabel"]
    (scipy,) = [
        curve for curve in one.plot(df, **problem) if curve["label"] == "scipy"
    ]
    assert min(scipy["y"]) == pytest.approx(0.01 / 1.01, rel=1e-6)
    title = one.get_metadata(df, **problem)["title"]
    assert title.endswith("MCP, 0.1 of max, gamma 10")


@pytest.mark.parametrize("name, short", [
    ("fit_intercept=False,l1=0.0,l2=1.0", "L2, l2 = 1"),
    ("fit_intercept=True,l1=0.1,l2=0.0", "L1, 0.1 of max, intercept"),
    ("fit_intercept=False,l1=0.01,l2=0.5",
     "elastic net, 0.01 of max, l2 = 0.5"),
    ("fit_intercept=False,gamma=3.7,l1=0.1,l2=0.0,penalty=scad",
     "SCAD, 0.1 of max, gamma 3.7"),
    ("fit_intercept=False,l1=0.1,l2=1.0,penalty=tv",
     "TV, 0.1 of max, l2 = 1"),
    ("gamma=0.5,l1=0.1,l2=0.0,penalty=log_sum",
     "log-sum, 0.1 of max, gamma 0.5"),
])
def test_labels_are_short(name, short):
    assert label(f"Logistic regression[{name}]") == short


def test_one_repetition_that_fails_is_a_failure():
    df = result()
    lost = (df["idx_rep"] == 1) & (df["solver_name"] == "scipy")
    df = df[~lost | (df["stop_val"] > 1e-3)]
    times = summary.times_to(df, 1e-6)
    assert np.isinf(times["scipy"]).all()
    assert np.isfinite(times["auto-newton"]).all()


def test_speed_ratio_counts_and_marks():
    rows = plot("speed_ratio", result(), level="1e-6", solver="auto-newton")
    assert [row[0] for row in rows] == ["won"] * 3 + ["0 lost"]
    assert [row[-1] for row in rows] == [2.0] * 4
    rows = plot("speed_ratio", result(), level="1e-6", solver="scipy")
    assert [row[0] for row in rows] == ["LOST"] * 3 + ["3 lost"]
    assert rows[-1][-1] == 0.25


def test_parts_of_ours_are_no_rivals_of_it():
    df = result({"auto-newton": 2.0, "prox-newton": 3.0, "scipy": 1.0})
    rows = plot("speed_ratio", df, level="1e-6", solver="auto-newton")
    assert {row[5] for row in rows[:-1]} == {"scipy"}
    rows = plot("speed_ratio", df, level="1e-6", solver="scipy")
    assert {row[5] for row in rows[:-1]} == {"prox-newton"}


def test_winners():
    rows = plot("winners", result(), level="1e-6")
    assert rows[1] == [
        "made[n_samples=1000]", "F", "auto-newton", "1.75 s",
        "sklearn[solver=lbfgs]", 2.0, "3 of 3",
    ]
    assert plot("winners", result(), level="1e-9")[0][2] == "auto-newton"


def test_performance_profile():
    curves = plot(
        "performance_profile", result(), family=summary.ALL, level="1e-6"
    )
    assert [one["label"] for one in curves] == list(RATES)
    best, second, third = curves
    assert best["y"][0] == best["y"][-1] == 1.0
    assert second["y"][0] == 0.0
    assert np.interp(2.01, second["x"], second["y"]) == 1.0
    assert np.interp(3.99, third["x"], third["y"]) == 0.0
    assert third["y"][-1] == 1.0


def test_speed_up_is_a_geometric_mean():
    bars = plot(
        "speed_up", result(), reference="sklearn[solver=lbfgs]",
        family=summary.ALL, level="1e-6",
    )
    assert {one["label"]: one["y"][0] for one in bars} == pytest.approx(
        {"auto-newton": 2.0, "sklearn[solver=lbfgs]": 1.0, "scipy": 0.5}
    )


def test_growth_fits_the_exponent():
    curves = plot("growth", result(), size="n_samples", level="1e-6")
    assert len(curves) == 3
    assert all(": 1.00 (made" in one["label"] for one in curves)
    assert plot("growth", result(), size="n_features", level="1e-6") == []


def test_passes_over_x():
    curves = plot(
        "passes_over_x", result(), dataset="made[n_samples=1000]",
        objective="F",
    )
    ours = next(one for one in curves if one["label"] == "auto-newton")
    assert ours["x"] == pytest.approx([250.0 * k for k in range(1, 11)])


def entry(solver, status, reason, size=100):
    return dict(
        dataset=f"made[n_samples={size}]", objective="F", solver=solver,
        status=status, reason=reason,
    )


def test_what_did_not_run_is_said():
    df = result()
    assert plot("not_run", df)[0][1] == "not known"
    df.attrs["not_run"] = "[]"
    assert plot("not_run", df)[0][1] == "everything ran"
    df.attrs["not_run"] = json.dumps([
        entry("celer", "not installed", "pip install celer"),
        entry("scipy", "skip", "no sparse data"),
        entry("scipy", "skip", "no sparse data", 1000),
        entry("crashes", "error", "signal 11"),
        entry("", "skip", "X has a NaN"),
    ])
    rows = plot("not_run", df)
    assert [row[:4] for row in rows] == [
        ["crashes", "failed", "signal 11", 1],
        ["celer", "not installed", "pip install celer", 1],
        ["all solvers", "cannot", "X has a NaN", 1],
        ["scipy", "cannot", "no sparse data", 2],
    ]
    assert rows[0][4] == "made[n_samples=100], F"


def test_what_failed_did_not_reach_the_level():
    df = result()
    df.attrs["not_run"] = json.dumps([
        entry("crashes", "error", "signal 11"),
        entry("scipy", "skip", "no sparse data"),
    ])
    times = summary.times_to(df, 1e-6)
    assert times["crashes"].notna().sum() == 1
    assert np.isinf(times.loc[("made[n_samples=100]", "F"), "crashes"])
    assert np.isfinite(times["scipy"]).all()
    assert plot("winners", df, level="1e-6")[-1][-1] == "3 of 4"


def test_not_reached_is_said():
    df = result()
    slow = df["solver_name"] == "scipy"
    df = df[~slow | (df["objective_value"] > 1.0005)]
    options = dict(dataset="made[n_samples=100]", objective="F")
    row = plot("time_to_accuracy", df, **options)[-1]
    assert row[1] == "scipy"
    assert row[2:] == ["300 ms", "4.0"] + ["not reached", ""] * 2 + [1e-3]
    bar = plot("time_bars", df, level="1e-6", **options)[-1]
    assert bar["text"] == "reached 1e-03 only"


def test_medians_and_quantiles():
    df = result({"scipy": 1.0}, sizes=((1000, 5),), n_rep=5)
    df["time"] *= 1 + df["idx_rep"]
    curve = curve_over_time(df, "objective_relative_gap")
    assert curve["x"][0] == pytest.approx(3.0)
    assert curve["x_low"][0] == pytest.approx(1.8)
    assert curve["x_high"][0] == pytest.approx(4.2)


def test_a_hue_for_each_family():
    style = styles(result({
        "auto-newton": 1, "b[x=1]": 1, "b[x=2]": 1, "c": 1,
    }))
    assert len({one["color"] for one in style.values()}) == 4
    assert style["auto-newton"]["color"] == (0.0, 0.0, 0.0, 1.0)


def test_numbers_for_readers():
    said = [summary.seconds(x) for x in (2.5, 1.234e-3, 5e-7, np.inf)]
    assert said == ["2.5 s", "1.23 ms", "0.5 us", "not reached"]


def test_the_page_lists_them_all():
    """Every file in plots/ is in config.yml, and opens as a view."""
    config = yaml.safe_load((ROOT / "config.yml").read_text())
    files = {path.stem for path in (ROOT / "plots").glob("*.py")}
    # benchopt's own shows the metrics that a user adds
    assert set(config["plots"]) == files | {"objective_curve"}
    assert all(cls.name == name for name, cls in PLOTS.items())
    assert {
        view["plot_kind"] for view in config["plot_configs"].values()
    } == set(config["plots"])


def test_ours_alone_has_nobody_to_be_compared_with():
    times = pd.DataFrame({"auto-newton": [1.0, np.nan], "anderson-cd": 2.0})
    found = summary.ratios_to(times, "auto-newton")
    assert (found["who"] == "").all()
    assert np.isinf(found["ratio"]).all()
