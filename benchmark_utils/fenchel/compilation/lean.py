"""Compile a kernel and all that it calls once, not once a function.

numba optimises each function and emits its machine code, links it into every
caller, and optimises it there again: half of a minute. Here what compiled
code calls is only typed and lowered to LLVM's code; the function that Python
calls links these, each once, and is optimised as a whole.

This module, `passes`, `lowering` and `link` reach into numba's compiler,
nothing else does. Whatever is missing there raises an exception at import, and
`compilation` then takes `numba.njit` as it is.
"""
import contextlib
import gc
import logging

import numba
from numba.core import errors, registry, types
from numba.core.compiler import Compiler, CompilerBase, DefaultPassBuilder

from .lowering import USUAL, PartLowering, WholeLowering, parts_of_numba
from .passes import LeanPasses

logger = logging.getLogger("fenchel")


class _WholeCompiler(CompilerBase):
    """The lean passes, or numba's but for the lowering."""

    lowering = WholeLowering

    def compile_extra(self, func):
        """Compile; what numba compiles on the way becomes parts."""
        with parts_of_numba():
            return super().compile_extra(func)

    def define_pipelines(self):
        full = DefaultPassBuilder.define_nopython_pipeline(self.state)
        full.passes = [
            (self.lowering if step in USUAL else step, what)
            for step, what in full.passes
        ]
        full.finalize()
        if self.state.flags.auto_parallel.enabled or any(
            isinstance(kind, (types.NoneType, types.Omitted, types.Optional))
            for kind in self.state.args
        ):
            return [full]
        return [LeanPasses(self.lowering), full]


class _PartCompiler(_WholeCompiler):
    lowering = PartLowering


@contextlib.contextmanager
def _uncollected():
    """Collect no garbage: a sixth of the time, as all is still in use."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _PartDispatcher(registry.CPUDispatcher):
    """Types and lowers a function for compiled code."""

    def add_overload(self, cres):
        self.overloads[tuple(cres.signature.args)] = cres


class Dispatcher(registry.CPUDispatcher):
    """A function that Python calls as numba's, and compiled code as a part.

    Machine code is made, and kept on disk, only of what Python calls. After
    an exception that numba does not know, this module does not fit numba:
    all goes through numba's own compiler from then on.
    """

    fits = True

    def __init__(self, py_func, locals=None, targetoptions=None,
                 pipeline_class=_WholeCompiler):
        locals, options = locals or {}, targetoptions or {}
        super().__init__(py_func, locals, options, pipeline_class)
        self._part = _PartDispatcher(py_func, locals, options, _PartCompiler)

    def get_call_template(self, args, kws):
        """Type a call in compiled code, constants as any other number."""
        if Dispatcher.fits:
            # or each constant compiles a function anew
            return self._part.get_call_template(
                tuple(map(types.unliteral, args)), {
                    name: types.unliteral(kind) for name, kind in kws.items()
                },
            )
        return super().get_call_template(args, kws)

    def get_overload(self, sig):
        """Return what stands for this function in compiled code."""
        if Dispatcher.fits:
            return self._part.get_overload(sig)
        return super().get_overload(sig)

    def compile(self, sig):
        """Load or make the machine code of a signature."""
        if Dispatcher.fits:
            try:
                with _uncollected():
                    return super().compile(sig)
            except errors.NumbaError:
                raise
            except Exception as error:
                Dispatcher.fits = False
                logger.warning(
                    "numba %s is not what was expected (%r): compiling takes "
                    "several times as long.", numba.__version__, error,
                )
        self._compiler.pipeline_class = Compiler
        return super().compile(sig)
