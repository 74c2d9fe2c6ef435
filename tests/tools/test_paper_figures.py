"""The figures for papers, of a result whose answers are known."""
import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark_utils.report import not_run
from conftest import ROOT
from made_results import machine
from made_results import result as made
from tools.page import paper_figures
from tools.page.paper_figures import curves, draw, file_name, pages

KINDS = yaml.safe_load((ROOT / "config.yml").read_text())["plots"]
FORTY = {
    f"proximal-gradient[accelerated=True,compiled=False,number={k}]": 1.0 + k
    for k in range(40)
}


def result(*arguments, **options):
    """With what benchopt records of the machine."""
    df = made(*arguments, **options)
    info = machine("{}").iloc[0].filter(regex="^(system|platform)")
    return df.assign(**info, run_date="2026-11-23T12:00")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    path = tmp_path_factory.mktemp("figures") / "a result.parquet"
    df = result()
    # one that stops short
    slow = df["solver_name"] == "scipy"
    df[~slow | (df["objective_relative_gap"] > 1e-5)].to_parquet(path)
    not_run.write(path, [dict(
        dataset="elsewhere", objective="F", solver="auto-newton",
        status="error", reason="it crashes",
    )])
    return path


@pytest.fixture(scope="module")
def drawn(recorded):
    """All that there is to draw, {kind: [(key, page), ...]}."""
    df = pd.read_parquet(recorded)
    return {kind: list(pages(df, [kind])) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_every_plot_in_every_format(drawn, kind, tmp_path):
    key, page = drawn[kind][0]
    with plt.rc_context(paper_figures.STYLE | {"pdf.compression": 0}):
        files = paper_figures.save(
            page, tmp_path / file_name(key), ["pdf", "svg", "png"]
        )
    pdf, svg, png = (path.read_bytes() for path in files[:3])
    image = plt.imread(files[2])
    # not blank: black, greys at the edges of letters and more
    assert len(np.unique(image[..., 0])) > 50
    # nothing is cut off: the border is white
    border = np.concatenate(
        [image[0], image[-1], image[:, 0], image[:, -1]]
    )
    assert (border == 1).all()
    # letters are paths there, and what they spell a comment
    said = re.findall(r"<!-- (.*?) -->", svg.decode())
    wanted = [*page["title"].split("\n"), "auto-newton"]
    assert all(any(one in text for text in said) for one in wanted)
    assert any(
        "2026-11-23; processor: AMD &lt;EPYC&gt;; cores: 2" in text
        for text in said
    )
    assert b"/Type3" not in pdf and b"/FontFile2" in pdf
    assert b"CreationDate" not in pdf and b"<dc:date>" not in svg
    # letters and the distances between them
    written = [
        "".join(re.findall(r"\((.*?)\)", text)).replace("\0", "")
        for text in re.findall(
            r"\bBT\b(.*?)\bET\b", pdf.decode("latin-1"), re.DOTALL
        )
    ]
    assert any("auto-newton" in text for text in written)
    assert plt.get_fignums() == []
    if page["type"] == "table":
        table = pd.read_csv(files[3])
        assert len(table) == len(page["data"])


def test_figures_show_what_the_plots_give(drawn):
    for key, page in (one for kind in KINDS for one in drawn[kind]):
        if page["type"] != "scatter":
            continue
        axis = plt.figure().add_axes((0, 0, 1, 1))
        curves(axis, page)
        lines = {line.get_label(): line for line in axis.lines}
        assert len(lines) == len(axis.lines) == len(page["data"]), key
        for one in page["data"]:
            line = lines[one["label"]]
            assert list(line.get_xdata()) == list(one["x"])
            assert list(line.get_ydata()) == list(one["y"])
            assert line.get_color() == one["color"]
        shades = bool(page.get("with_quantiles")) * sum(
            "x_low" in one for one in page["data"]
        )
        assert len(axis.collections) == shades
        plt.close()


def test_views_give_scale_and_choice(drawn):
    # benchopt's plot names no scale, and has a page for each metric
    assert {page["scale"] for _, page in drawn["objective_curve"]} == {
        "semilog-x"
    }
    assert len(drawn["objective_curve"]) == 3
    assert "value" in drawn["objective_curve"][0][0]


def test_bars(drawn):
    _, page = drawn["time_bars"][2]
    (axis,) = draw(page).axes
    assert [bar.get_width() for bar in axis.patches] == [
        one["y"][0] for one in page["data"]
    ]
    # the one that stopped short is grey and says so
    assert axis.patches[-1].get_facecolor()[:3] == (0.8, 0.8, 0.8)
    assert "reached 1e-05 only" in {text.get_text() for text in axis.texts}
    plt.close()


def test_forty_solvers_by_rank():
    df = result(FORTY, sizes=((100, 10),), n_rep=1)
    ((_, page),) = pages(df, ["certified_gap"])
    (axis,) = draw(page).axes
    legend = axis.get_legend()
    # the fastest first, none twice
    assert [text.get_text() for text in legend.get_texts()] == sorted(
        FORTY, key=FORTY.get, reverse=True
    )
    axis.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in legend.get_texts()]
    assert len({round(box.x0) for box in boxes}) > 1
    below = axis.xaxis.label.get_window_extent().y0
    assert all(box.y1 < below for box in boxes)
    height = axis.figure.dpi * paper_figures.SMALL / 72
    assert all(
        one.x1 < other.x0 or other.x1 < one.x0
        or abs(one.y0 - other.y0) > height
        for k, one in enumerate(boxes) for other in boxes[k + 1:]
    )
    plt.close()


def test_names_are_safe_and_differ(drawn):
    keys = [key for kind in KINDS for key, _ in drawn[kind]] + [
        "a_d[l1=0.1]", "a_d[l1=0,1]", "a_d(l1=0.1)", "A_d[l1=0.1]",
        "a_d[l1=0.1]/..", "a_" + 300 * "x" + "1", "a_" + 300 * "x" + "2",
        "a_\u00e9", "a_\u00e8",
    ]
    names = [file_name(key) for key in keys]
    # some systems do not tell capitals
    assert len({name.lower() for name in names}) == len(set(keys))
    assert all(re.fullmatch(r"[\w-]{5,210}", name) for name in names)
    assert file_name("a_d[l1=0.1]") == "a_d-l1-0-1-32a6724441"


def test_a_dollar_is_a_dollar():
    df = result({"auto-newton": 2.0, "a$_$b": 1.0}, sizes=((100, 10),))
    df["dataset_name"] = "d$^"
    for kind in ("certified_gap", "time_bars", "winners"):
        draw(next(pages(df, [kind]))[1]).canvas.draw()
        plt.close()


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "tools.page.paper_figures", *words],
        cwd=ROOT, capture_output=True, text=True,
    )


def test_command(recorded):
    words = (recorded, "--plot", "winners", "growth", "--formats", "svg")
    done = command(*words)
    assert done.returncode == 0, done.stderr
    folder = recorded.parent / "a result_figures"
    files = {path: path.read_bytes() for path in folder.iterdir()}
    # three levels each; the tables with a CSV file
    assert sorted(map(str, files)) == sorted(done.stdout.splitlines())
    assert len(files) == 9
    # letter for letter the same again
    command(*words)
    assert {path: path.read_bytes() for path in folder.iterdir()} == files


@pytest.mark.parametrize("options, complaint", [
    (dict(kinds=["winner"]), "No plot 'winner': there are .*winners"),
    (dict(formats=["gif3"]), "No format 'gif3': there are .*pdf, .*png"),
    (dict(result="nowhere.parquet"), "no result file nowhere.parquet"),
])
def test_what_cannot_be_drawn(recorded, tmp_path, options, complaint):
    options = dict(result=recorded, folder=tmp_path / "new") | options
    with pytest.raises(SystemExit, match=complaint):
        list(paper_figures.paper_figures(**options))
    assert not (tmp_path / "new").exists()


def test_what_is_no_result(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(SystemExit, match="is this a result"):
        list(paper_figures.paper_figures(path))
