"""The self-contained page, in a real browser without a network."""
import json

import pandas as pd
import pytest
from benchopt.benchmark import Benchmark

from browser import PHONE, WIDE, Browser
from conftest import ROOT
from tools.page.make_page import compact, make_page, self_contained

SOLVERS = ["auto-newton", "raw-newton", "scipy[method=[L-BFGS-B,Newton-CG]]"]
# What is drawn is what plotly has put into the document
TRACES = """document.querySelectorAll('.scatterlayer > .trace,'
    + '.barlayer > .trace, .boxlayer > .trace').length"""
ROWS = """[...document.querySelectorAll('.gridjs-table tbody tr')].map(
    (row) => [...row.querySelectorAll('td')].map((td) => td.textContent))"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result(make_copy, benchopt, tmp_path_factory):
    """A result of a small run, as a user gets it."""
    folder = make_copy(tmp_path_factory.mktemp("page"))
    benchopt(
        folder, "run", ".", "--no-plot", "--output", "tried", "-n", "12",
        "-d", "simulated[n_samples=[10,200],n_features=2]",
        "-o", "Logistic regression[l1=[0,0.1],l2=1]", "-r", "2",
        *[word for name in SOLVERS for word in ("-s", name)],
    )
    return folder / "outputs" / "tried.parquet"


@pytest.fixture(scope="module")
def made(result):
    before = result.read_bytes()
    page = make_page(result)
    assert result.read_bytes() == before
    return page


@pytest.fixture
def browse(made, tmp_path):
    """Open the page; at the end nothing must have gone wrong on it."""
    browsers = []

    def start(size=WIDE, page=made):
        browser = Browser(tmp_path / str(len(browsers)), size)
        browsers.append(browser)
        browser.open(page)
        return browser

    yield start
    for browser in browsers:
        browser.close()
    for browser in browsers:
        assert not browser.problems
        assert not browser.asked


@pytest.fixture(scope="module")
def plots(result):
    """All that benchopt's own code wants drawn: {kind: {key: plot}}."""
    df = pd.read_parquet(result)
    benchmark = Benchmark(ROOT)
    kinds = benchmark.get_plot_config()["plots"]
    data, options = benchmark.get_plot_data(df, kinds)
    assert list(data)
    return data, options


def count_traces(plot):
    """How many traces benchopt's page draws for a plot."""
    kind, data = plot["type"], plot["data"]
    if kind == "scatter":
        return sum(
            3 if "x_low" in one or "y_low" in one else 1 for one in data
        )
    if kind == "bar_chart":
        return 1 + sum(not one.get("text") for one in data)
    assert kind == "boxplot"
    return sum(len(one["x"]) for one in data)


def choices(kind, options):
    """Every state of the menu for one kind of plot, with its key."""
    states = [({"plot_kind": kind}, kind)]
    for name, values in options.items():
        states = [
            ({**state, f"{kind}_{name}": value}, f"{key}_{value}")
            for state, key in states for value in values
        ]
    return states


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_plot_is_drawn(browse, plots, size):
    browser = browse(size)
    data, options = plots
    for kind in data:
        for state, key in choices(kind, options[kind]):
            # in two steps, as by a hand: benchopt reads the kind first
            browser.run(f"setState({json.dumps(state)})")
            plot = data[kind][key]
            if plot["type"] == "table":
                rows = browser.run(ROWS)
                assert len(rows) == len(plot["data"]), key
                continue
            assert browser.run(TRACES) == count_traces(plot), key
            title = browser.run(
                "document.querySelector('.gtitle').textContent"
            )
            assert squeezed(title) == squeezed(plot["title"]), key
            # nothing sticks out of the screen
            assert browser.run("document.body.scrollWidth") <= size[0], key


def squeezed(text):
    return "".join(text.split())


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_first_view_is_open(browse, size):
    browser = browse(size)
    name, view = next(iter(
        Benchmark(ROOT).get_plot_config()["plot_configs"].items()
    ))
    state = browser.run("state()")
    assert {key: state[key] for key in view if key in state}.items() <= (
        view.items()
    )
    shown = "#tabs" if size == PHONE else "#view-tabs .active"
    assert browser.run(
        f"document.querySelector('{shown}').value"
        f" ?? document.querySelector('{shown}').textContent"
    ) == name


FORTY_NAMES = [
    f"proximal-gradient[accelerated=True,compiled=False,number={k}]"
    for k in range(40)
]
# Give the page a plot of forty solvers, as a plot of ours would
ADD_PLOT = """(() => {{
    const plot = {plot};
    window._plots.forty = {{forty: plot}};
    document.getElementById('plot_kind').append(new Option('forty'));
    setState({{plot_kind: 'forty'}});
}})()"""
BOXES = """[...document.querySelectorAll('{what}')].map((one) => {{
    const box = one.getBoundingClientRect();
    return [box.left, box.right, box.top, box.bottom];
}})"""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("kind", ["bar_chart", "scatter"])
def test_forty_long_names_are_readable(browse, kind, size):
    browser = browse(size)
    plot = dict(type=kind, title="t", xlabel="x", ylabel="y", scale="log")
    if kind == "bar_chart":
        plot["data"] = [
            dict(label=name, y=[10.0**-k], color="rgba(9,9,9,1)",
                 text="not reached" if k == 7 else "")
            for k, name in enumerate(FORTY_NAMES)
        ]
        names = ".ytick text"
    else:
        plot["scale"] = "loglog"
        plot["data"] = [
            dict(label=name, x=[1, 2], y=[1, 2 + k], marker=k,
                 color="rgba(9,9,9,1)")
            for k, name in enumerate(FORTY_NAMES)
        ]
        names = "#plot_legend .curve"
    browser.run(ADD_PLOT.format(plot=json.dumps(plot)))
    assert browser.run(TRACES) == 40
    boxes = browser.run(BOXES.format(what=names))
    assert len(boxes) == 40
    assert all(left >= 0 and right <= size[0] for left, right, _, _ in boxes)
    # no two names cover each other
    for k, one in enumerate(boxes):
        for other in boxes[k + 1:]:
            assert (
                one[1] <= other[0] or other[1] <= one[0]
                or one[3] <= other[2] + 1 or other[3] <= one[2] + 1
            )


def test_the_menu_of_a_phone_shows_what_is_drawn(browse, plots):
    browser = browse(PHONE)
    kind = list(plots[0])[-1]
    browser.run(f"setState({{plot_kind: '{kind}'}})")
    browser.run("document.getElementById('btn-plot-config').click()")
    menu = "document.querySelector('#mobile-plot-form #plot_kind')"
    assert browser.run(f"{menu}.value") == kind
    other = list(plots[0])[0]
    browser.run(
        f"{menu}.value = '{other}', {menu}.dispatchEvent(new Event('change'))"
    )
    assert browser.run("state().plot_kind") == other


def test_table_is_sorted_and_searched(browse, plots):
    browser = browse()
    kind, tables = next(
        (kind, tables) for kind, tables in plots[0].items()
        if next(iter(tables.values()))["type"] == "table"
        and len(next(iter(tables.values()))["data"]) > 2
    )
    browser.run(f"setState({{plot_kind: '{kind}'}})")
    rows = browser.run(ROWS)
    header = "document.querySelectorAll('.gridjs-th')[0]"
    names = sorted(row[0] for row in rows)
    browser.run(f"{header}.click()")
    assert browser.run(f"{header}.getAttribute('aria-sort')") == "ascending"
    assert sorted(names, key=str.lower) == [
        row[0] for row in browser.run(ROWS)
    ]
    browser.run(f"{header}.click()")
    assert browser.run(f"{header}.getAttribute('aria-sort')") == "descending"
    assert [row[0] for row in browser.run(ROWS)] == sorted(
        names, key=str.lower, reverse=True
    )
    browser.run(search(names[0].upper()))
    found = browser.run(ROWS)
    assert 0 < len(found) < len(rows)
    assert all(names[0].lower() in "".join(row).lower() for row in found)
    browser.run(search("no such solver"))
    assert browser.run(ROWS) == []
    browser.run(search(""))
    assert len(browser.run(ROWS)) == len(rows)
    # a column is hidden and shown by its pill
    columns = "document.querySelectorAll('.gridjs-th').length"
    before = browser.run(columns)
    browser.run(
        "document.querySelectorAll('#table_container label input')[1].click()"
    )
    assert browser.run(columns) == before - 1


def search(text):
    field = "document.querySelector('.gridjs-search-input')"
    return (
        f"{field}.value = {json.dumps(text)},"
        f"{field}.dispatchEvent(new Event('input'))"
    )


def test_numbers_in_the_table_are_sorted_as_numbers(browse):
    browser = browse()
    browser.run("setState({plot_kind: 'time_to_accuracy'})")
    name = "reached"
    column = browser.run("getPlotData().columns").index(name)
    browser.run(f"document.querySelectorAll('.gridjs-th')[{column}].click()")
    gaps = [float(row[column]) for row in browser.run(ROWS)]
    assert gaps == sorted(gaps)
    # small numbers are not rounded to zero
    assert any(0 < gap < 1e-8 for gap in gaps)


def test_a_view_is_saved_found_again_and_exported(browse, tmp_path):
    browser = browse()
    kind = "speed_ratio"
    browser.run(f"setState({{plot_kind: '{kind}'}})")
    browser.answer = "My view"
    browser.run("document.querySelector('[onclick*=saveView]').click()")
    browser.run("setConfig(document.querySelectorAll('.view')[1])")
    assert browser.run("state().plot_kind") != kind
    browser.run(
        "[...document.querySelectorAll('.view')]"
        ".find((one) => one.textContent === 'My view').click()"
    )
    assert browser.run("state().plot_kind") == kind
    # the page that is downloaded has it too
    text = browser.run("page.exported()")
    again = tmp_path / "again.html"
    again.write_text(text, encoding="utf-8")
    other = browse(page=again)
    other.run(
        "[...document.querySelectorAll('.view')]"
        ".find((one) => one.textContent === 'My view').click()"
    )
    assert other.run("state().plot_kind") == kind


def test_the_result_file_is_inside(browse, result):
    browser = browse()
    links = browser.run(
        "Promise.all([...document.querySelectorAll('a[download]')].map("
        "async (a) => (await (await fetch(a.href)).arrayBuffer()).byteLength))"
    )
    assert links == [result.stat().st_size] * 2


def test_plots_are_the_same_when_compact(browse):
    curve = [1.0, 2.0, 3.0, 4.0, 5.0, 1e-17]
    plots = {
        "a b": {"x": curve, "y": [1 / 3] * 6, "title": "d'é\"</p>", "n": 7},
        "b": [{"x": curve, "y": curve, "text": None, "all": [curve, curve]}],
    }
    found = browse().run(compact(plots))
    plots["a b"]["y"] = [0.333333333333] * 6
    assert found == plots
    text = compact({"x": [1.23456789], "y": [1.23456789, float("nan")]})
    assert "1.23457]" in text and "[1.23456789,NaN]" in text
    assert compact([curve] * 9).count("1e-17") == 1


def test_a_changed_template_is_noticed(tmp_path):
    with pytest.raises(RuntimeError, match="template has changed"):
        self_contained("<html><head></head></html>", tmp_path / "x.parquet")
