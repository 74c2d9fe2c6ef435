"""Lower typed functions to LLVM's code, in libraries that are linked once."""
import contextlib

from numba.core import typed_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_machinery import _pass_registry, register_pass
from numba.parfors.parfor_lowering import ParforLower

from .link import Part, Whole

#: numba's passes that are replaced here
USUAL = typed_passes.NativeLowering, typed_passes.NativeParforLowering
_ROOMS = "numba.", __name__.rpartition(".compilation")[0]


@contextlib.contextmanager
def _libraries(generator, kind):
    """Let numba make libraries of a kind."""
    before = generator._library_class
    generator._library_class = kind
    try:
        yield
    finally:
        generator._library_class = before


class _Lowering(typed_passes.BaseNativeLowering):
    """Lower to LLVM's code, into a library of the kind that is asked for."""

    # loops by several threads and all else
    lowering_class = ParforLower
    library_class = None

    def run_pass(self, state):
        # of the lean passes: numba would raise it in the end
        state.status.fail_reason = None
        generator = state.targetctx.codegen()
        state.library = self.library_class(
            generator, state.func_id.func_qualname
        )
        state.library.by_hand = getattr(state.func_id.func, "by_hand", False)
        state.library.enable_object_caching()
        # the wrappers of loops by several threads are parts, too
        threads = state.flags.auto_parallel.enabled
        with _libraries(generator, Part if threads else JITCodeLibrary):
            return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class WholeLowering(_Lowering):
    _name = "fenchel_lowering_of_a_whole"
    library_class = Whole


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(_Lowering):
    _name = "fenchel_lowering_of_a_part"
    library_class = Part

    def run_pass(self, state):
        flags = state.flags
        flags.no_compile = True
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        super().run_pass(state)
        # stands for the function that numba would have made: its dispatcher
        # takes nothing but a builtin function
        key = [state.func_id.func_qualname].append
        state.targetctx.insert_user_function(
            key, state.cr.fndesc, [state.library]
        )
        state.cr = state.cr._replace(cfunc=key)
        return True


@contextlib.contextmanager
def parts_of_numba():
    """Make parts also of the functions of numba's, and of overloads here."""
    part = PartLowering()
    passes = [_pass_registry.get(kind).pass_inst for kind in USUAL]

    def lowered_by(usual):
        def run_pass(state):
            function = state.func_id
            if function.modname.startswith(_ROOMS) or (
                function.func_name.startswith("__numba_parfor")
            ):
                return part.run_pass(state)
            with _libraries(state.targetctx.codegen(), JITCodeLibrary):
                return usual(state)

        return run_pass

    if any("run_pass" in vars(lowering) for lowering in passes):
        # within another function of ours
        yield
        return
    for lowering in passes:
        lowering.run_pass = lowered_by(lowering.run_pass)
    try:
        yield
    finally:
        for lowering in passes:
            del lowering.run_pass
