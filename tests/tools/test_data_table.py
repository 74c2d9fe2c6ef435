"""The table of datasets is what the data are."""
import pytest

from conftest import ROOT
from harness import DATASETS
from tools.tables.dataset_table import describe, rows_of, table
from tools.tables.markdown import between

NAMES = sorted(DATASETS)
DOCUMENT = ROOT / "docs" / "datasets.md"


def written():
    return rows_of(between(DOCUMENT, "datasets"))


def test_every_dataset_has_a_row():
    assert sorted(written()) == sorted(f"`{name}`" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_row(name):
    row = written()[f"`{name}`"]
    found = describe(DATASETS[name], most=100)
    if name in ("grants", "hiva", "pd_speech", "sylva"):
        # hundreds of singular values are for the slow test
        found[6] = row[6]
    assert found == row


@pytest.mark.slow
def test_the_whole_table():
    assert table() == between(DOCUMENT, "datasets")


@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_says_where_it_is_from(name):
    for what in ("source", "licence", "stands_for"):
        text = getattr(DATASETS[name], what, "")
        assert text and "|" not in text, f"add {what} to {name}"
