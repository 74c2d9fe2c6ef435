"""The computed parts of README and docs are what the results say."""
import json

import pytest

from benchmark_utils.report.summary import times_to
from conftest import ROOT
from made_results import RATES, not_convex, result
from tools.page import readme_figure
from tools.published import newest, read
from tools.tables import conclusion, reached_table, speed_table
from tools.tables.__main__ import PARTS
from tools.tables.markdown import between

VERSIONS = {"celer": "9.9", "scikit-learn": "8", "numpy": "2.4"}


@pytest.mark.parametrize("document, part", PARTS, ids=" ".join)
def test_document_is_up_to_date(document, part):
    found = between(ROOT / document, part)
    assert found == PARTS[document, part](), "make conclusion"


def test_figure(tmp_path):
    assert readme_figure.FIGURE.exists()
    rates = {"auto-newton": 4, "b[x=1]": 1, "b[x=2]": 2, "c": 3}
    count, curves = readme_figure.profiles(made(rates=rates), "L2")
    assert count == 3
    # of each family the best variant
    assert [one["label"] for one in curves] == ["auto-newton", "c", "b[x=2]"]
    readme_figure.draw({"L2": (count, curves)}, tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").stat().st_size > 10_000


def made(**arguments):
    df = result(**arguments)
    df["objective_name"] = "F[l1=0.0,l2=0.50]"
    df["objective_peak_memory"] = 0.5
    df["p_obj_l1"], df["p_obj_l2"] = 0.0, 0.5
    df["final_results"] = [
        json.dumps(json.loads(text) | {"versions": VERSIONS})
        for text in df["final_results"]
    ]
    return df


def cells_of(text):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
    ]


def test_speed_table():
    df = made(rates={"auto-newton": 2.0, "b": 1.0})
    assert cells_of(speed_table.speed_table(df))[2:] == [
        ["`made` 100 x 10, l2 = 0.5", "200 ms", "400 ms, `b`", "2.00",
         "450 ms", "900 ms, `b`", "2.00", "0.5"],
        ["`made` 1000 x 10, l2 = 0.5", "2 s", "4 s, `b`", "2.00",
         "4.5 s", "9 s, `b`", "2.00", "0.5"],
        ["`made` 10000 x 10, l2 = 0.5", "20 s", "40 s, `b`", "2.00",
         "45 s", "90 s, `b`", "2.00", "0.5"],
        ["**geometric mean, all others**", *["worst: 2.00", "lost: 0 of 3",
         "**2.00**"] * 2, ""],
        ["**geometric mean, without the notebook's Newtons**",
         *["worst: 2.00", "lost: 0 of 3", "**2.00**"] * 2, ""],
    ]
    notebook = speed_table.speed_table(
        made(rates={"auto-newton": 2.0, "raw-newton": 1.5, "b": 1.0})
    )
    assert [row[3] for row in cells_of(notebook)[-2:]] == [
        "**1.33**", "**2.00**",
    ]
    lost = speed_table.speed_table(made(rates={"auto-newton": 1.0, "b": 2.0}))
    assert lost.count("**lost: 0.50**") == 6
    assert "lost: 3 of 3" in lost


def test_speed_table_where_f_is_not_convex():
    df = not_convex(made(rates={"auto-newton": 2.0, "b": 1.0}))
    df.loc[df["solver_name"] == "b", "objective_value"] /= 1.01
    rows = cells_of(speed_table.speed_table(df))
    assert rows[0][1] == "ours to 1e-4" and rows[0][4] == "ours to 1e-6"
    assert rows[2][0] == "`made` 100 x 10, MCP, 0.1 of max, gamma 10"
    assert [row[-2:] for row in rows[2:]] == 3 * [["1e-02", "0.5"]] + [
        ["", ""]
    ]
    assert {len(row) for row in rows} == {9}
    facts = conclusion.facts_of(df)
    assert {one["penalty"] for one in facts.values()} == {"MCP"}


def test_speed_table_where_no_other_solver_gets_there():
    df = made(rates={"auto-newton": 2.0, "b": 1.0})
    largest = df["dataset_name"] == df["dataset_name"].iloc[-1]
    slow = df["solver_name"] == "b"
    df = df[~(largest & slow & (df["objective_relative_gap"] < 1e-6))]
    rows = cells_of(speed_table.speed_table(df))[2:]
    assert [row[5:7] for row in rows[:3]].count(
        ["not reached", "ours alone"]
    ) == 1
    # the mean is of the others
    assert rows[3][-2:] == ["**2.00**", ""]


def test_excerpt_has_the_closest_first():
    df = made(rates={"auto-newton": 2.0, "b": 1.0})
    largest = df["dataset_name"] == df["dataset_name"].iloc[-1]
    df.loc[largest & (df["solver_name"] == "b"), "time"] *= 0.75
    rows = cells_of(speed_table.excerpt(df))[2:]
    assert [row[-1] for row in rows] == ["1.50", "2.00", "2.00", "**1.82**"]
    assert rows[-1][:2] == ["**geometric mean of all 3**", "lost: 0"]


def test_compiled_newton_is_ahead_of_scipy_at_every_size():
    """docs/results.md says so of the notebook's sizes."""
    df = read(newest(config="speed"))
    sizes = df["dataset_name"].str.startswith(("simulated", "many_small"))
    df = df[sizes & df["solver_name"].isin(speed_table.NOTEBOOK_SOLVERS)]
    times = times_to(df, 1e-8)
    scipy = times.pop("scipy[method=Newton-CG]")
    small = scipy.index[times["raw-newton"] < 0.1]
    assert len(small) >= 10
    assert (times.loc[small].max(axis=1) < scipy[small]).all()


def test_growth_table():
    df = made(rates=RATES)
    rows = cells_of(speed_table.growth_table(df))
    assert rows[0][1] == (
        "exponent of n samples from 100 to 10000 (n features: 10)"
    )
    assert [row[1] for row in rows[2:]] == ["1.00"] * 3
    assert rows[2][:3] == ["`auto-newton`", "1.00", "17.5 s"]


def test_reached_table():
    df = made(rates=RATES)
    slow = df["solver_name"] == "scipy"
    df = df[~slow | (df["objective_relative_gap"] > 1e-2)]
    df.attrs["not_run"] = json.dumps([
        dict(dataset="d", objective="o", solver=solver, status=status,
             reason=reason)
        for solver, status, reason in [
            ("cuml", "not installed", "needs a GPU"),
            ("scipy", "error", "ValueError: no"),
            ("scipy", "skip", "cannot"),
        ]
    ])
    rows = {row[0]: row[1:] for row in cells_of(reached_table.table(df))}
    # the worst first; columns of penalties that there are
    assert list(rows)[2] == "`scipy`"
    assert rows["`auto-newton`"][1:] == ["0 of 3", "3 of 3", ""]
    assert rows["`scipy`"][1:3] == ["3 of 3", "0 of 3, worst 1e-02"]
    assert rows["`scipy`"][-1] == "failed: ValueError: no"
    assert rows["`cuml`"][1:] == ["not run", "", "needs a GPU"]


def test_versions_are_those_of_the_run():
    df = made(rates={"celer[solver=celer]": 1.0, "sklearn[solver=saga]": 1.0})
    assert reached_table.versions(df) == {
        "celer[solver=celer]": "celer 9.9",
        "sklearn[solver=saga]": "scikit-learn 8",
    }
