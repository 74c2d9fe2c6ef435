"""Which tests are run, and in which order: options of pytest.

Files come in a random order, and the tests of a file in theirs, so that none
depends on another. ``make test`` runs a few cases of each large matrix,
chosen at random, ``make test-all`` all of them.
"""
import random
import time

import numpy as np
import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--order-seed", type=int, metavar="N",
        help="repeat the order and the sample of another run",
    )
    parser.addoption(
        "--sample", action="store_true",
        help="of each test marked matrix(n) run n cases only",
    )
    parser.addoption(
        "--only-libraries", action="store_true",
        help="leave out solvers that need no library of their own",
    )


def pytest_configure(config):
    # the processes of pytest-xdist must agree
    if hasattr(config, "workerinput"):
        config.option.order_seed = config.workerinput["order_seed"]
    elif config.option.order_seed is None:
        config.option.order_seed = time.time_ns() % 10**6


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["order_seed"] = node.config.option.order_seed


def pytest_report_header(config):
    return f"order: --order-seed {config.option.order_seed}"


def pytest_collection_modifyitems(config, items):
    order = random.Random(config.option.order_seed)
    kept = shuffled(items, order)
    if config.option.sample:
        kept = sampled(kept)
    if config.option.only_libraries:
        kept = [one for one in kept if not needs_no_library(one)]
    left_out = set(items).difference(kept)
    config.hook.pytest_deselected(items=[i for i in items if i in left_out])
    items[:] = kept


def shuffled(items, order):
    """Shuffle files, and the tests of each file."""
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    groups = list(files.values())
    order.shuffle(groups)
    for group in groups:
        order.shuffle(group)
    return [item for group in groups for item in group]


def sampled(items):
    """Keep the first n cases of each test that is marked matrix(n)."""
    kept, counts = [], {}
    for item in items:
        mark = item.get_closest_marker("matrix")
        if mark is not None:
            test = (item.path, item.originalname)
            counts[test] = counts.get(test, 0) + 1
            if counts[test] > mark.args[0]:
                continue
        kept.append(item)
    return kept


def needs_no_library(item):
    """Whether a test is of a solver that every environment has."""
    # imported here: it loads the benchmark
    from harness import SOLVERS

    given = getattr(item, "callspec", None)
    name = given.params.get("name") if given else None
    solver = SOLVERS.get(str(name).split("[")[0])
    return solver is not None and getattr(solver, "needs", None) is None


@pytest.fixture(autouse=True)
def fresh_generator(request, monkeypatch):
    """Begin a file's random numbers anew, so that no test depends on order."""
    if hasattr(request.module, "RNG"):
        monkeypatch.setattr(request.module, "RNG", np.random.default_rng(0))
