"""How the kernels of this package are compiled, and where they are kept."""
import os

import numba

# With it, compiled code sees to it that what it reads and writes belongs to
# its arrays, vectors too: for tests, a hundred times slower
CHECKED = os.environ.get("FENCHEL_CHECK") == "1"
# Versions of numba that `lean` was tried with, from and below
_TRIED = (0, 60), (0, 69)
# Loops may reorder sums and contract a * b + c; NaN and infinity keep their
# meaning, so an overflow is still seen
LOOPS = {"contract", "reassoc", "arcp", "nsz"}

try:
    from .cache import FunctionCache, folder
except Exception:
    FunctionCache = folder = None
try:
    _version = tuple(map(int, numba.__version__.split(".")[:2]))
    if (
        os.environ.get("FENCHEL_PLAIN_NUMBA", "0") != "0"
        or not _TRIED[0] <= _version < _TRIED[1]
    ):
        raise ImportError("numba's own compiler is asked for, or unknown")
    from .lean import Dispatcher
except Exception:
    Dispatcher = None
try:
    from .notice import Notice, listen
    listen(__name__.rpartition(".")[0])
except Exception:
    Notice = None

#: what was decorated, for those who count what is compiled
functions = []


def njit(function=None, by_hand=False, **options):
    """Compile a function by numba, cached, division as NumPy's.

    To be used as ``@njit`` or, with more of numba's options,
    ``@njit(fastmath=LOOPS)``. What compiled code calls has no machine code
    of its own (see `lean`); with FENCHEL_PLAIN_NUMBA=1, or a numba that is
    not known, all is compiled as numba does.
    """
    if function is None:
        return lambda function: njit(function, by_hand, **options)
    options = {"error_model": "numpy"} | options
    if CHECKED:
        options["boundscheck"] = True
    if Dispatcher is None:
        compiled = numba.njit(**options)(function)
    elif numba.config.DISABLE_JIT:
        return function
    else:
        compiled = Dispatcher(function, targetoptions={
            "nopython": True, "boundscheck": None
        } | options)
    if FunctionCache is None:
        compiled.enable_caching()
    else:
        try:
            compiled._cache = FunctionCache(function)
        except RuntimeError:
            # no folder can be written: it compiles in every process
            pass
    function.by_hand = by_hand
    functions.append(compiled)
    return compiled


def bare(function):
    """Compile by `njit` a function by hand that allocates no array.

    Without counts of references to its arrays, which its callers hold: 200 x
    10 in 5.1 instead of 6.5 us. What it returns may contain arrays only where
    its callers are bare, too.
    """
    return njit(function, by_hand=True, _nrt=False)


def cache_folder():
    """Return where compiled functions are kept; None where nowhere."""
    return folder() if folder else numba.config.CACHE_DIR or None


def silence():
    """Leave out the word about compiling: somebody waits for that."""
    if Notice:
        Notice.told = True
