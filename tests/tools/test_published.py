"""What README says of the results is what the results say."""
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
from tools.published import folders, newest
from tools.tables.conclusion import (
    comparison,
    conclude,
    facts_of,
    lost,
    rank,
    sentence,
    times_to,
)
from tools.tables.markdown import between, write

INF, NAN = np.inf, np.nan


def test_readme_has_the_newest_conclusion():
    found = between(ROOT / "README.md", "conclusion")
    assert found == conclude(newest())


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
    "fast": [1.0, 2.0, INF, NAN],
    "sure": [4.0, 1.0, 9.0, 3.0],
    "stuck": [INF, INF, INF, INF],
    "twice": [2.0, 4.0, NAN, NAN],
})


def test_rank_and_sentences():
    ranked = rank(TIMES)
    assert list(ranked.index) == ["sure", "fast", "twice"]
    assert ranked.loc["sure"].tolist() == [4, 3, pytest.approx(4**0.25)]
    assert ranked.loc["fast"].tolist() == [2, 1, pytest.approx(2**0.5)]
    text = sentence("L2", TIMES)
    assert text == (
        "L2: **`sure`**, the fastest on 3 of 4; then `fast`, 0.7 times the "
        "time where both reach it."
    )
    # 1/4 and 2/1 of the time, on the two that both solved
    assert comparison(ranked, TIMES[:2]).endswith("`fast`, 0.7 times the time")
    assert comparison(ranked, TIMES[:2].assign(fast=[4.0, 1.0])) == (
        "`fast` is about as fast"
    )
    assert sentence("L1", TIMES[["stuck"]]) == (
        "L1: no solver reached the level."
    )
    assert sentence("L1", TIMES[["fast"]]) == (
        "L1: **`fast`**, the fastest on 2 of 4 (it reached the level on 2)."
    )


def test_losers():
    text = lost(TIMES)
    assert "on several problems: `stuck` (4 of 4)." in text
    assert "on one problem: `fast`." in text
    assert "those that always did is `twice`, in geometric mean 2.8" in text
    assert "Every solver reached" in lost(TIMES[["sure", "twice"]])


def test_write(tmp_path):
    file = tmp_path / "README.md"
    page = "before\n<!-- x: start -->\n{}\n<!-- x: end -->\nafter\n"
    file.write_text(page.format("old"))
    write(file, "new", "x")
    assert file.read_text() == page.format("new")
    assert between(file, "x") == "new"


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
