"""No kernel reads what nobody wrote, or writes beyond what is its own.

Buffers hold anything before, and canaries behind: results are the same to the
last bit. And a process in which compiled code checks each vector that it
reads or writes, see `compilation.CHECKED`.
"""
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmark_utils.fenchel.newton.small import (
    descent,
    layout,
    streamed,
    two_columns,
)
from benchmark_utils.fenchel.newton.small.samples import flat
from conftest import ROOT

HELD = [0.0, np.nan, 1e300, -7.0]
CANARY = 123.0
# around multiples of the lanes of vectors in both precisions, blocks that
# hold all samples and that do not, many columns as last resorts have them
SHAPES = [
    (7, 400), (30, 500), (57, 200), (33, 1000), (8, 7), (9, 8), (15, 9),
    (16, 15), (17, 16), (31, 17), (127, 3), (128, 4), (129, 5), (511, 6),
    (513, 2), (200, 10), (700, 48), (1100, 31), (2100, 64),
]
LAYOUTS = {
    "C": np.ascontiguousarray, "F": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "float32 F": lambda X: np.asfortranarray(X, np.float32),
}


def design(n, p):
    rng = np.random.default_rng(n + 1000 * p)
    X = rng.standard_normal((n, p))
    y = np.where(rng.random(n) < 0.6, 1.0, -1.0)
    y[:2] = -1.0, 1.0
    return X, y


def buffers(size, held):
    """An array that holds anything, and the canaries behind it."""
    whole = np.full(size + 64, held)
    whole[size:] = CANARY
    return whole[:size], whole[size:]


def kernel_of(q):
    """The kernel that such a problem goes to, and its buffer's size."""
    if q <= 2:
        return two_columns.fit_tiny, lambda n, q: two_columns.workspace_size(n)
    return descent.fit_tiny, layout.workspace_size


def results(X, y, l2, tol, intercept, start):
    """What a fit gives, whatever its buffer held; checks the canaries."""
    n, p = X.shape
    data, row_stride, column_stride = flat(X)
    where = (0, row_stride, column_stride, n, p, 0)
    fit, size = kernel_of(p + intercept)
    for held in HELD:
        work, behind = buffers(size(n, p + intercept), held)
        x = np.full(p + intercept, start)
        ended = fit(data, y, where, l2, tol, 200, work, x)
        assert (behind == CANARY).all()
        yield np.array([*ended, *x])


@pytest.mark.parametrize("n, p, name", [
    (*shape, name) for shape in SHAPES for name in LAYOUTS
    if shape[1] < 100 or name == "C"
])
def test_what_the_buffer_held_does_not_matter(n, p, name):
    X, y = design(n, p)
    X = LAYOUTS[name](X)
    for intercept in (False, True):
        for l2, tol, start in (
            (1.0, 0.0, 0.0), (0.01, 1e-8, 0.0), (1e-6, 1e-11, 0.3),
            (300.0, 1e-3, 0.0),
        ):
            first, *others = results(X, y, l2, tol, intercept, start)
            for other in others:
                np.testing.assert_array_equal(first, other)
            assert np.isfinite(first).all()


@pytest.mark.parametrize("n, p", [(5, 3), (127, 7), (1000, 8), (40_000, 5)])
def test_a_stream_reads_what_it_wrote(n, p):
    X, y = design(n, p)
    where = (0, p, 1, n, p, 0)
    for q in (p, p + 1):
        found = []
        for held in HELD:
            rows = n // 8 + 1
            parts = [
                buffers(size, held) for size in (
                    streamed.streamed_size(q), rows,
                    layout.workspace_size(rows, q),
                )
            ]
            x = np.zeros(q)
            ended = streamed.fit_streamed(
                X.ravel(), y, where, 0.1, 1e-9, 50,
                tuple(work for work, _ in parts), x,
            )
            assert all((behind == CANARY).all() for _, behind in parts)
            found.append([*ended, *x])
        assert len(np.unique(found, axis=0)) == 1


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True,
        text=True, timeout=600, env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT}/tests:{ROOT}/tests/fenchel",
            **environment,
        },
    )


CHECKED = """
from numba import njit
import numpy as np
from benchmark_utils.fenchel.linalg import simd, tiles
from benchmark_utils.fenchel.linalg.gram import PANEL, add_panel

bare = njit(_nrt=False)
tile = tiles.make_tile(False, True)

@bare
def load(a, i):
    return simd.total(simd.load(a, i))

@bare
def store(a, i):
    simd.store(a, i, simd.splat(1.0))

@bare
def read(a, i):
    return simd.total(simd.read(a, i))

@bare
def get(a, i):
    return simd.get(a, i)

@bare
def put(a, i):
    simd.put(a, i, 1.0)

@bare
def narrow(a, i):
    tiles.narrow(a, 0, 2 * i)

@bare
def transpose(a, i):
    tiles.transpose(a, i, 8, simd.splat(1.0), a, 0, 8)

@bare
def tiled(a, i):
    tile(a, 2 * i, 0, 0, 0, 1, 0, 4, 8)

for call, room in (
    (load, 8), (store, 8), (read, 8), (get, 1), (put, 1), (narrow, 4),
    (transpose, 56 + tiles.SUM_LANES), (tiled, tiles.SINGLE_ROUND // 2),
):
    last = 512 - room
    call(np.zeros(512), last)
    for i in (-1, last + 1):
        try:
            call(np.zeros(512), i)
        except IndexError:
            continue
        raise AssertionError(f"{call.__name__} at {i} is not seen")

panel, C = np.zeros((PANEL, 32)), np.zeros((32, 32))
add_panel(panel, PANEL, C)
for wrong in ((panel, PANEL + 1), (panel[:, :24].copy(), PANEL)):
    try:
        add_panel(*wrong, C)
    except IndexError:
        continue
    raise AssertionError("what is beyond a panel is not seen")
"""


def test_vectors_beyond_an_array_are_seen():
    """Else what follows would prove nothing."""
    done = python(CHECKED, FENCHEL_CHECK="1")
    assert done.returncode == 0, done.stderr


FITS = """
import numpy as np
import test_memory_safety as t

for n, p in t.SHAPES:
    X, y = t.design(n, p)
    for change in list(t.LAYOUTS.values())[:2]:
        for intercept in (False, True):
            for tol in (0.0, 1e-8):
                list(t.results(change(X), y, 0.01, tol, intercept, 0.0))
for n, p in ((5, 3), (1000, 8), (40_000, 5)):
    t.test_a_stream_reads_what_it_wrote(n, p)
from benchmark_utils.fenchel.newton.small.few_samples import fit_few_samples
for n, p in ((2, 3), (9, 129), (31, 500)):
    for intercept in (False, True):
        x = np.zeros(p + intercept)
        fit_few_samples(*t.design(n, p), 1.0, intercept, 1e-9, 100, x)
"""


def test_kernels_stay_in_their_buffers():
    done = python(FITS, FENCHEL_CHECK="1")
    assert done.returncode == 0, done.stderr


SAME = """
import numpy as np
from benchmark_utils.fenchel.fit import fit_logistic
from test_memory_safety import design

for n, p, l2, intercept in (
    (30, 500, 1.0, False), (7, 400, 1.0, True), (57, 200, 0.01, True),
):
    X, y = design(n, p)
    w, b, info = fit_logistic(X, y, l2=l2, fit_intercept=intercept, tol=0.0)
    print(w.tobytes().hex(), b, info)
"""


def test_what_memory_held_does_not_matter():
    """Whole fits, from Python's buffers, on memory of different bytes."""
    said = set()
    for byte in ("0", "90", "165"):
        done = python(SAME, MALLOC_PERTURB_=byte)
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    assert len(said) == 1
