"""Kernels compiled with all that they call, kept, and told of."""
import importlib
import logging
import os
import subprocess
import sys
from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.core import event
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_machinery import _pass_registry
from numba.core.runtime import _nrt_python, rtsys

from benchmark_utils.fenchel import compilation, fit_logistic
from benchmark_utils.fenchel import compile as command
from benchmark_utils.fenchel.compilation import cache, notice
from conftest import ROOT

lean = pytest.importorskip("benchmark_utils.fenchel.compilation.lean")
OPTIONS = {"nopython": True, "boundscheck": None, "error_model": "numpy"}


class Pair(NamedTuple):
    """Two arrays and a number."""

    a: np.ndarray
    b: np.ndarray
    scale: float


def _dispatcher(function):
    return lean.Dispatcher(function, targetoptions=OPTIONS)


@_dispatcher
def add_to(x, a):
    """Neither allocates nor returns an array."""
    total = 0.0
    for i in range(x.size):
        x[i] += a
        total += x[i]
    return total


@_dispatcher
def shared(x):
    return 2.0 * x[0]


@_dispatcher
def by_two_ways(x):
    """Calls what the caller of this calls too."""
    return shared(x) + add_to(x[1:], 1.0)


@_dispatcher
def views(x):
    return x[1:], x[::2]


@_dispatcher
def itself(x):
    return x


@_dispatcher
def doubled(x):
    return 2.0 * x + x


@_dispatcher
def paired(x):
    return Pair(x, doubled(x), 3.0)


@_dispatcher
def moved(x):
    """Writes a slice of an array onto itself: needs a copy."""
    x[1:] = x[:-1]


@_dispatcher
def chosen(x):
    return x[x > 1.0].sum()


@_dispatcher
def multiplied(x):
    """Calls what numba compiles of its own."""
    return np.sqrt(np.linalg.cholesky(x) @ x[0]) + min(x[0].sum(), 0.0)


@_dispatcher
def mixed(x):
    kinds = (1, 2.5, x)
    return kinds[0] * kinds[1] + kinds[2][0]


@_dispatcher
def with_closure(x):
    def inner(i):
        return x[i] + 1.0

    return inner(0)


@_dispatcher
def perhaps(x, other=None):
    if other is None:
        return x[0]
    return other[0]


@_dispatcher
def refuses(x):
    if x[0] > 0.0:
        raise ValueError("positive")
    return 0.0


@_dispatcher
def of_everything(x):
    pair = paired(x)
    head, tail = views(pair.b)
    total = by_two_ways(itself(x)) + shared(tail) + add_to(head, pair.scale)
    moved(head)
    total += chosen(pair.b) + mixed(x) + with_closure(x) + perhaps(x)
    for row in np.ones((3, 2)):
        total += row.sum()
    return total + perhaps(x, pair.b), pair.b


def plain(function):
    """Compile a function, and all that it calls, by numba alone."""
    space = dict(function.py_func.__globals__)
    for name, value in space.items():
        if isinstance(value, lean.Dispatcher):
            space[name] = numba.njit(error_model="numpy")(
                type(plain)(value.py_func.__code__, space, name,
                            value.py_func.__defaults__,
                            value.py_func.__closure__)
            )
    return space[function.py_func.__name__]


def test_results_are_those_of_numba_alone():
    by_numba = plain(of_everything)
    mine, other = np.arange(1.0, 6.0), np.arange(1.0, 6.0)
    total, array = of_everything(mine)
    expected, expected_array = by_numba(other)
    assert total == expected
    np.testing.assert_array_equal(array, expected_array)
    np.testing.assert_array_equal(mine, other)


def test_loops_by_threads_are_parts_too():
    def body(x, out):
        for k in numba.prange(out.size):
            out[k] = shared(x[k:]) + add_to(x[k:k + 1], 1.0)

    parallel = lean.Dispatcher(
        body, targetoptions=OPTIONS | {"parallel": True}
    )

    @_dispatcher
    def outer(x, out):
        parallel(x, out)
        return out.sum()

    expected = np.empty(9)
    body(np.arange(9.0), expected)
    for function in (outer, parallel):
        out = np.empty(9)
        function(np.arange(9.0), out)
        np.testing.assert_array_equal(out, expected)


def test_all_memory_is_given_back():
    x = np.arange(1.0, 6.0)
    of_everything(x)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(10):
        of_everything(x)
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free > 0


def test_an_array_outlives_its_function():
    pairs = [doubled(np.full(1000, float(i))) for i in range(50)]
    assert [pair[-1] for pair in pairs] == [3.0 * i for i in range(50)]


def test_raises_what_the_kernel_does():
    assert refuses(np.zeros(1)) == 0.0
    with pytest.raises(ValueError, match="positive"):
        refuses(np.ones(1))
    with pytest.raises(numba.TypingError):
        refuses("text")
    assert lean.Dispatcher.fits


def test_machine_code_is_made_of_what_python_calls():
    @_dispatcher
    def outer(x):
        return inner(x) + 1.0

    @_dispatcher
    def inner(x):
        return x[0]

    assert outer(np.ones(2)) == 2.0
    assert len(outer.signatures) == 1 and not inner.signatures
    # and later, if Python does
    assert inner(np.ones(2)) == 1.0 and len(inner.signatures) == 1


def test_numbas_own_functions_may_call_it():
    by_numba = numba.njit(lambda x: add_to(x, 1.0) + by_two_ways(x))
    assert by_numba(np.ones(3)) == 6.0 + 4.0 + 6.0
    product = numba.njit(lambda x: multiplied(x)[0])
    assert product(np.eye(2)) == 1.0


def test_a_numba_that_is_another_compiles_all_by_itself(monkeypatch, caplog):
    def missing(self, state):
        raise AttributeError("something has another name")

    monkeypatch.setattr(lean.LeanPasses, "run", missing)
    monkeypatch.setattr(lean.Dispatcher, "fits", True)

    @_dispatcher
    def outer(x):
        return inner(x) + 1.0

    @_dispatcher
    def inner(x):
        return x[0]

    assert outer(np.ones(2)) == 2.0
    assert not lean.Dispatcher.fits
    assert "something has another name" in caplog.text
    assert outer(np.ones(2, np.float32)) == 2.0


def test_numbas_settings_stay_as_they_are():
    of_everything(np.arange(1.0, 6.0, dtype=np.float32))
    for kind in lean.USUAL:
        assert "run_pass" not in vars(_pass_registry.get(kind).pass_inst)
    generator = of_everything.targetctx.codegen()
    assert generator._library_class is JITCodeLibrary


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder of its own for compiled functions."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    cache.folder.cache_clear()
    yield tmp_path
    cache.folder.cache_clear()


def test_the_next_process_loads_it(kept):
    def kept_function(x):
        return shared(x) + 1.0

    def dispatcher():
        made = _dispatcher(kept_function)
        made._cache = cache.FunctionCache(kept_function)
        return made

    first, second = dispatcher(), dispatcher()
    assert first(np.ones(1)) == second(np.ones(1)) == 3.0
    assert not first.stats.cache_hits and sum(
        second.stats.cache_hits.values()
    ) == 1
    assert [path.parent.parent for path in kept.rglob("*.nbc")] == [kept]


def test_the_folder_belongs_to_the_sources(tmp_path, monkeypatch):
    def stamp():
        cache.stamp.cache_clear()
        return cache.stamp()

    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "kernel.py").write_text("a = 1")
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    try:
        first = stamp()
        assert first == stamp()
        (tmp_path / "room" / "kernel.py").write_text("a = 2")
        second = stamp()
        monkeypatch.setenv("FENCHEL_CHECK", "1")
        assert len({first, second, stamp()}) == 3
    finally:
        cache.stamp.cache_clear()


def test_where_the_package_is_fixed_the_user_keeps_it(tmp_path, monkeypatch):
    # a file, where the folder would be
    (tmp_path / "__pycache__").write_text("")
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    cache.folder.cache_clear()
    cache.stamp.cache_clear()
    try:
        found = cache.folder()
        assert found.is_dir() and tmp_path / "__pycache__" not in found.parents
    finally:
        cache.folder.cache_clear()
        cache.stamp.cache_clear()


def test_no_folder_to_write_is_no_error(monkeypatch):
    monkeypatch.setattr(cache, "folder", lambda: None)

    @compilation.njit
    def uncached(x):
        return x + 1.0

    assert uncached(1.0) == 2.0
    compilation.functions.remove(uncached)


def test_functions_of_one_name_are_kept_apart():
    names = {}
    for function in compilation.functions:
        implementation = getattr(function._cache, "_impl", None)
        if implementation:
            other = names.setdefault(implementation.filename_base, function)
            assert other is function


@pytest.mark.parametrize("patience, told", [(0.0, 1), (60.0, 0)])
def test_tells_once_that_it_compiles(monkeypatch, caplog, patience, told):
    monkeypatch.setattr(notice.Notice, "told", False)
    monkeypatch.setattr(notice, "PATIENCE", patience)
    listener = notice.Notice(__name__)
    caplog.set_level(logging.WARNING, "fenchel")
    with event.install_listener("numba:compile", listener):
        for kind in (np.float64, np.float32):
            _dispatcher(add_to.py_func)(np.ones(2, kind), 1.0)
    assert caplog.text.count("compiling") == told


def test_compiles_all_kinds_with_a_word_to_each(monkeypatch, capsys):
    monkeypatch.setattr(command, "KINDS", {"two columns": lambda: None})
    command.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(" 1 of 1: two columns") and len(lines) == 2


def variants(X, y):
    """The same problem in other layouts, types and labels."""
    n, p = X.shape
    wide = np.zeros((2 * n, 2 * p))
    wide[::2, ::2] = X
    fixed, labels = X.copy(), y.copy()
    fixed.flags.writeable = labels.flags.writeable = False
    yield np.asfortranarray(X), y
    yield wide[::2, ::2], y
    yield X[::-1], y[::-1]
    yield fixed, labels
    yield X.astype(np.float32), y
    yield np.asfortranarray(X.astype(np.float32)), y
    yield X, y.astype(np.int8)
    yield X, y.astype(np.float32)
    yield X, y > 0
    yield X, np.where(y > 0, "yes", "no")
    yield X.tolist(), y.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(10, 2), (200, 10), (8, 30), (300, 400)])
def test_other_layouts_and_types_compile_nothing(shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape).astype(np.float32).astype(np.float64)
    y = np.where(X[:, 0] + rng.standard_normal(len(X)) > 0, 1.0, -1.0)
    expected = fit_logistic(X, y)[0]
    fit_logistic(X[::-1], y[::-1])
    for other, labels in variants(X, y):
        with event.install_recorder("numba:compile") as recorder:
            coef = fit_logistic(other, labels)[0]
        assert not recorder.buffer, (type(other), labels)
        if labels is y:
            np.testing.assert_allclose(coef, expected, rtol=1e-3, atol=1e-5)


FIT = """
import sys
import numpy as np
from benchmark_utils.fenchel import compilation, fit_logistic
rng = np.random.default_rng(0)
X = rng.standard_normal((40, 2))
y = np.where(X[:, 0] + rng.standard_normal(40) > 0, 1.0, -1.0)
coef, _, info = fit_logistic(X, y, tol=1e-10)
print(coef.tolist(), info["n_iter"], compilation.Dispatcher is None)
"""


@pytest.mark.slow
def test_a_fit_by_numba_alone_is_the_same():
    def run(plain):
        done = subprocess.run(
            [sys.executable, "-c", FIT], cwd=ROOT, check=True, text=True,
            env={**os.environ, "FENCHEL_PLAIN_NUMBA": plain},
            capture_output=True,
        )
        coef, rest = done.stdout.strip().rsplit("]", 1)
        return [float(c) for c in coef[1:].split(",")], rest.split()

    (mine, mine_rest), (other, other_rest) = run("0"), run("1")
    assert mine == pytest.approx(other, rel=1e-12)
    assert mine_rest[0] == other_rest[0]
    assert (mine_rest[1], other_rest[1]) == ("False", "True")


def test_an_unknown_numba_is_taken_as_it_is(monkeypatch):
    monkeypatch.setenv("FENCHEL_PLAIN_NUMBA", "1")
    name = "benchmark_utils.fenchel.compilation"
    spec = importlib.util.spec_from_file_location(
        "plain_compilation", compilation.__file__,
        submodule_search_locations=compilation.__path__,
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "plain_compilation", module)
    spec.loader.exec_module(module)
    made = module.njit(lambda x: x + 1.0)
    assert module.Dispatcher is None and name in sys.modules
    assert type(made) is type(numba.njit(lambda x: x))


def test_what_cannot_be_read_is_compiled_anew(tmp_path):
    """Names of a module that is gone, or a file that was cut, are nothing."""
    files = cache._Files(
        cache_path=str(tmp_path), filename_base="f", source_stamp="s"
    )
    for spoil in ("*.nbi", "*.nbc"):
        files.save("key", 3)
        assert files.load("key") == 3
        (path,) = tmp_path.glob(spoil)
        path.write_bytes(path.read_bytes()[:3])
        assert files.load("key") is None
        files.save("key", 4)
        assert files.load("key") == 4
        for path in tmp_path.iterdir():
            path.unlink()
