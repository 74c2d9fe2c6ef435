"""What README and docs say of the results is what the results say."""
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark_utils.report import provenance
from browser import PHONE, WIDE, Browser
from conftest import ROOT
from tools.page.make_site import as_html, make_site
from tools.page.publish_result import check_config, publish
from tools.published import folders, read
from tools.tables.conclusion import (
    answer,
    cell,
    conclude,
    facts_of,
    penalty,
    rank,
    sentence,
    short,
    sources,
    times_to,
)
from tools.tables.markdown import between, table, write

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize("folder", folders(), ids=lambda path: path.name)
def test_published_folders_are_complete(folder):
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\w+", folder.name)
    assert {path.name for path in folder.iterdir()} == {
        "result.parquet", "config.yml", "provenance.json",
    }
    df = pd.read_parquet(folder / "result.parquet")
    found = provenance.read(df)
    assert found == json.loads((folder / "provenance.json").read_text())
    assert folder.name.startswith(max(text[:10] for text in found["date"]))
    assert set(found) == set(provenance.LABELS)


def curve(solver, points, repetition=0, dataset="d"):
    """Rows of a curve: (time, value, lower bound) of each point."""
    return [
        dict(
            dataset_name=dataset, objective_name="o", solver_name=solver,
            idx_rep=repetition, time=time, objective_value=value,
            objective_lower_bound=bound,
        )
        for time, value, bound in points
    ]


def test_times():
    df = pd.DataFrame([
        *curve("a", [(0.0, 2.0, 0.0), (0.1, 1.5, 0.5), (0.3, 1.0, 0.99)]),
        *curve("a", [(0.0, 2.0, 0.0), (0.5, 1.0, 0.9)], repetition=1),
        # its own bound is bad, a's is not
        *curve("b", [(0.0, 2.0, 0.0), (0.2, 1.005, 0.1)]),
        # one repetition in two stops short
        *curve("c", [(0.1, 1.0, 0.1)]),
        *curve("c", [(0.1, 1.5, 0.1)], repetition=1),
        *curve("a", [(7.0, 3.0, 3.0)], dataset="other"),
    ])
    times = times_to(df, 0.02)
    assert times.loc[("d", "o")].to_dict() == {"a": 0.4, "b": 0.2, "c": INF}
    other = times.loc[("other", "o")]
    assert other["a"] == 7.0 and other[["b", "c"]].isna().all()


TIMES = pd.DataFrame({
    "fast[x=1]": [1.0, 2.0, INF, NAN],
    "fast[x=2]": [8.0, 8.0, INF, NAN],
    "sure": [4.0, 1.0, 9.0, 3.0],
    "stuck": [INF, INF, INF, INF],
    "twice": [2.0, 4.0, NAN, NAN],
})


def test_rank():
    # what is not solved counts as 10 s, twice the limit
    ranked = rank(TIMES, 5.0)
    assert list(ranked.index) == ["sure", "fast[x=1]", "twice"]
    assert ranked.loc["sure"].tolist() == [1, 4, 3]
    ratio = (1 * 2 * 10 * 10 / (4 * 1 * 9 * 3)) ** 0.25
    assert ranked.loc["fast[x=1]"].tolist() == [pytest.approx(ratio), 2, 1]
    # a longer limit costs them more
    assert rank(TIMES, 50.0)["ratio"].iloc[1] > 10**0.5 * ratio * 0.99
    # problems that nobody solves change nothing
    more = pd.concat([TIMES, pd.DataFrame({"stuck": [INF]})])
    pd.testing.assert_frame_equal(rank(more, 5.0), ranked)


def test_cells_and_sentences():
    assert cell(TIMES, 50.0) == "**sure** (3/4)<br>fast 1: 3.7x"
    assert sentence("L2", TIMES, 50.0) == (
        "L2: **`sure`** (the fastest on 3 of 4); then `fast[x=1]`, 3.7 times "
        "the time (the fastest on 1 of 4, 2 of 4 reached) and `twice`, 5.2 "
        "times the time (2 of 4 reached)."
    )
    assert cell(TIMES[["fast[x=1]"]], 5.0) == "**fast 1** (2/4), 2 not solved"
    assert sentence("L1", TIMES[["fast[x=1]"]], 5.0) == (
        "L1: **`fast[x=1]`** (the fastest on 2 of 4, 2 of 4 reached)."
    )
    assert cell(TIMES[["stuck"]], 5.0) == "nobody"
    assert sentence("L1", TIMES[["stuck"]], 5.0) == (
        "L1: no solver reached the level."
    )


@pytest.mark.parametrize("name, expected", [
    ("raw-newton", "raw-newton"),
    ("skglm[solver=ProxNewton]", "skglm ProxNewton"),
    ("a[b=True,c=False,d=e]", "a b e"),
])
def test_short(name, expected):
    assert short(name) == expected


@pytest.mark.parametrize("row, expected", [
    (dict(p_obj_l1=0.0, p_obj_l2=1.0), "L2"),
    (dict(p_obj_l1=0.1, p_obj_l2=0.0), "L1"),
    (dict(p_obj_l1=0.1, p_obj_l2=1.0, p_obj_penalty=NAN), "elastic net"),
    (dict(p_obj_l1=0.1, p_obj_l2=0.0, p_obj_penalty="elasticnet"), "L1"),
    (dict(p_obj_l1=0.1, p_obj_l2=0.0, p_obj_penalty="mcp"), "MCP"),
])
def test_penalty(row, expected):
    assert penalty(row) == expected


def publish_made(results, date, config, objectives, solvers):
    """Write a made-up published result of some (objective, l1, l2)."""
    rows = []
    for objective, l1, l2 in objectives:
        for solver, seconds in solvers.items():
            rows += [
                one | dict(
                    objective_name=objective, p_obj_l1=l1, p_obj_l2=l2,
                    final_results=json.dumps(FACTS), **MACHINE,
                ) for one in curve(
                    solver, [(0.0, 2.0, 0.0), (seconds, 1.0, 1.0)]
                )
            ]
    folder = results / f"{date}-{config}"
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(folder / "result.parquet")
    (folder / "config.yml").write_text("timeout: 3\n")
    return folder


FACTS = dict(
    problem=dict(
        n_samples=10, n_features=2, nonzero=1.0, condition=2.0, n_problems=1,
    ),
    microarchitecture="znver9", numba_threads=1,
)
MACHINE = {
    "system-processor": "A", "system-cpus": "1", "system-ram (GB)": 1,
    "platform": "Linux", "platform-release": "", "platform-architecture": "",
}


def test_answer_takes_each_penalty_from_its_run(tmp_path):
    results = tmp_path / "results"
    # a full run in which ours loses on L2, and has no L1
    full = publish_made(
        results, "2020-01-01", "full",
        [("l2", 0.0, 1.0)], {"auto-newton": 2.0, "b": 1.0},
    )
    l1 = publish_made(
        results, "2020-01-02", "one", [("l1", 0.1, 0.0)],
        {"b": 1.0, "c": 4.0},
    )
    pd.concat([read(full), read(l1)]).to_parquet(full / "result.parquet")
    race = [
        publish_made(
            results, "2020-01-03", config, [(config, 0.0, l2)],
            {"auto-newton": 1.0, "b": 3.0} | only,
        )
        for config, l2, only in [
            ("speed", 1.0, {"left-out": 0.1}), ("unseen", 2.0, {}),
        ]
    ]
    assert sources(results) == {"L2": race, "L1": [full]}
    rows = answer(results=results).splitlines()
    assert rows[0] == "|  | L2 | L1 |"
    # a solver that was not in both parts of the race is in none
    assert rows[2] == (
        "| **tiny** | **auto-newton** (2/2)<br>b: 3.0x "
        "| **b** (1/1)<br>c: 4.0x |"
    )
    assert (
        "0 of 2 problems of the race of 2020-01-03; 1 of 1 problems of the "
        "full run of 2020-01-01: `d` (2.0 times slower than `b`)."
    ) in rows[8]


def test_write(tmp_path):
    file = tmp_path / "README.md"
    page = "before\n<!-- x: start -->\n{}\n<!-- x: end -->\nafter\n"
    file.write_text(page.format("old"))
    write(file, "new", "x")
    assert file.read_text() == page.format("new")
    assert between(file, "x") == "new"


def test_table():
    assert table([["a", "b"], [1, "c"]]) == (
        "| a | b |\n| --- | --- |\n| 1 | c |"
    )


def test_html():
    assert as_html("From [x](results/x):\n\n- **a**\n  - `b<c`\n- d") == (
        '<p>From <a href="x/index.html">x</a>:</p>\n<ul>\n<li><b>a</b></li>\n'
        "<ul>\n<li><code>b&lt;c</code></li>\n</ul>\n<li>d</li>\n</ul>"
    )


@pytest.fixture(scope="module")
def result(make_copy, benchopt, tmp_path_factory):
    """A result of a small configuration, and that configuration."""
    folder = make_copy(tmp_path_factory.mktemp("published"))
    config = folder / "small.yml"
    config.write_text(
        "objective:\n- 'Logistic regression[l1=[0,0.1],l2=0.5]'\n"
        "dataset:\n- 'simulated[n_samples=[10,200],n_features=2]'\n"
        "solver: [raw-newton, 'scipy[method=L-BFGS-B]']\n"
        "timeout: 5\nmax-runs: 20\n"
    )
    benchopt(
        folder, "run", ".", "--no-plot", "--output", "tried", "--config",
        str(config),
    )
    return folder / "outputs" / "tried.parquet", config


def with_git_state(result, target, state):
    df = pd.read_parquet(result)
    df["final_results"] = [
        json.dumps(json.loads(text) | {"git": state})
        if isinstance(text, str) else None for text in df["final_results"]
    ]
    df.to_parquet(target)
    return target


@pytest.mark.slow
def test_publish(result, tmp_path):
    path, config = result
    results = tmp_path / "results"
    with pytest.raises(ValueError, match="git state that is unknown"):
        publish(path, config, results)
    dirty = with_git_state(path, tmp_path / "dirty.parquet", "0a1b-dirty")
    with pytest.raises(ValueError, match="commit, and run it again"):
        publish(dirty, config, results)
    clean = with_git_state(path, tmp_path / "clean.parquet", "0a1b")
    with pytest.raises(ValueError, match="does not run the dataset"):
        publish(clean, ROOT / "configs" / "notebook.yml", results)
    assert not results.exists()
    folder = publish(clean, config, results)
    test_published_folders_are_complete(folder)
    assert folders(results) == [folder]
    text = conclude(folder)
    # the elastic net is L-BFGS-B's alone
    assert "  - elastic net: **`scipy[method=L-BFGS-B]`**" in text
    assert "4 problems, 2 solvers" in text
    assert "1 cores" not in text
    with pytest.raises(FileExistsError):
        publish(clean, config, results)


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_site(result, tmp_path, size):
    path, config = result
    results = tmp_path / "results"
    clean = with_git_state(path, tmp_path / "clean.parquet", "0a1b")
    folder = publish(clean, config, results)
    shutil.copytree(folder, results / "2020-01-01-old")
    site = tmp_path / "site"
    make_site(site, results)
    browser = Browser(tmp_path / "browser", size)
    try:
        browser.open(site / "index.html")
        links = browser.run("[...document.querySelectorAll('a')].map((a) =>"
                            "a.getAttribute('href'))")
        assert browser.run("document.body.scrollWidth") <= size[0]
        for link in links:
            assert link.startswith("https:") or (site / link).exists(), link
        assert links[1] == f"{folder.name}/index.html"
        assert "2020-01-01-old/index.html" in links
        browser.open(site / links[1])
        home = browser.run("[...document.querySelectorAll('a')].find((a) =>"
                           "a.textContent === 'Home').href")
        assert home == (site / "index.html").as_uri()
        assert not browser.problems and not browser.asked
    finally:
        browser.close()


def test_check_config_takes_the_config_of_a_result(result):
    path, config = result
    check_config(pd.read_parquet(path), yaml.safe_load(config.read_text()))


def test_facts(result):
    facts = facts_of(pd.read_parquet(result[0]))
    assert len(facts) == 4
    assert {one["penalty"] for one in facts.values()} == {
        "L2", "elastic net",
    }
    assert {one["n_samples"] for one in facts.values()} == {10, 200}
