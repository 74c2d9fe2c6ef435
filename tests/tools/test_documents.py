"""README is short, links lead somewhere, names exist, examples run."""
import re
import subprocess

import pytest

from benchmark_utils.fenchel.solve import _METHODS
from conftest import ROOT
from tools.published import repository

DOCUMENTS = sorted([
    *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"),
])
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(name):
    """What GitHub calls the headings of a document."""
    titles = re.findall(r"^#+ (.*)$", text_of(name), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in titles
    }


def test_readme_is_short():
    assert len(text_of("README.md").encode()) <= 9216


def test_each_regime_is_explained():
    found = set(_METHODS) - {"many columns"}
    for path in (ROOT / "benchmark_utils" / "fenchel").rglob("*.py"):
        found.update(re.findall(
            r'regime \+?= "(?:sparse)?(?:, )?([a-z ]+)"', path.read_text()
        ))
    assert len(found) > 14
    text = text_of("docs/fenchel.md") + text_of("docs/fenchel_sparse.md")
    assert not [regime for regime in found if regime not in text]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_what_exists(name):
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            found = anchors(target.resolve().relative_to(ROOT).as_posix())
            assert anchor in found, link


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "history" not in name]
)
def test_files_and_modules_exist(name):
    text = text_of(name)
    # what an example of CONTRIBUTING is saved as; NAME.py is any
    made = set(re.findall(r"<!-- file: (\S+) -->", text))
    folders = "benchmark_utils|configs|datasets|plots|solvers|tests|tools"
    pattern = rf"(?<![\w/])((?:{folders})/[\w./-]*\w)"
    for path in set(re.findall(pattern, text)) - made:
        assert "NAME" in path or (ROOT / path).exists(), path
    for module in re.findall(r"python -m (tools[\w.]*\w)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (
            path / "__main__.py"
        ).exists(), module


def test_every_document_is_linked():
    linked = {
        ((ROOT / name).parent / link.partition("#")[0]).resolve()
        for name in NAMES for link in re.findall(r"\]\(([^)\s]+)\)",
                                                 text_of(name))
    }
    assert not set(DOCUMENTS) - linked - {ROOT / "README.md"}


def test_the_address_has_one_home():
    """CITATION.cff has it; objective.py, which imports no tool, repeats it."""
    tracked = subprocess.run(
        ["git", "grep", "-l", "-F", repository().removeprefix("https://")],
        cwd=ROOT, capture_output=True, text=True,
    ).stdout.split()
    if not tracked:
        pytest.skip("no git repository")
    assert set(tracked) <= {"CITATION.cff", "objective.py"}


@pytest.mark.slow
def test_examples_of_our_solver_run():
    text = text_of("docs/fenchel.md")
    blocks = re.findall(r"<!-- run -->\n```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    names = {}
    for code in blocks:
        exec(code, names)
    assert names["info"]["converged"].all()
    assert names["coef"].shape == (10,)
