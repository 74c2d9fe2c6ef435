"""Compile a kernel and all that it calls once, not once a function.

numba optimises each function and emits its machine code, links it into every
caller, and optimises it there again: half of a minute. Here what compiled
code calls is only typed and lowered to LLVM's code; the function that Python
calls links these, each once, and is optimised as a whole.

This module reaches into numba's compiler, nothing else does. Whatever is
missing there raises an exception at import, and `compilation` then takes
`numba.njit` as it is.
"""
import contextlib
import gc
import logging

import llvmlite.binding as llvm
import numba
from numba.core import (
    codegen,
    errors,
    ir,
    ir_utils,
    postproc,
    registry,
    rewrites,
    ssa,
    transforms,
    typed_passes,
    types,
    typing,
    untyped_passes,
)
from numba.core.compiler import Compiler, CompilerBase, DefaultPassBuilder
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import _pass_registry, register_pass
from numba.parfors.parfor_lowering import ParforLower

_ROOMS = "numba.", __name__.rpartition(".compilation")[0]
logger = logging.getLogger("fenchel")


class _Part(codegen.JITCodeLibrary):
    """LLVM's code of a function that only compiled code calls."""

    def _ensure_finalized(self):
        """Emit nothing: callers take the code."""

    def add_llvm_module(self, ll_module):
        """Take a module without the optimisation of each function."""
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def parts(self, seen):
        """Collect the libraries that this one calls, in order."""
        for library in self._linking_libraries:
            if library not in seen:
                seen[library] = None
                if isinstance(library, _Part):
                    library.parts(seen)
        return seen

    def _get_module_for_linking(self):
        """Return the module with all that it calls, for foreign callers."""
        if self._shared_module is None:
            module = self._final_module.clone()
            _link(module, self.parts({}))
            for name in _defined(module):
                module.get_function(name).linkage = "linkonce_odr"
            self._shared_module = module
        return self._shared_module


def _link(module, libraries):
    """Link what a module calls, each once.

    LLVM leaves out a function that may be there twice as long as nothing in
    the module calls it: so all are unique at first, but for helpers that
    numba writes into each module, and libraries of numba's own kind come
    last.
    """
    shared = set()
    last = [one for one in libraries if not isinstance(one, _Part)]
    for library in [one for one in libraries if one not in last] + last:
        if isinstance(library, _Part):
            for name in _defined(library._final_module):
                if name in shared:
                    function = library._final_module.get_function(name)
                    function.linkage = "linkonce_odr"
                shared.add(name)
            module.link_in(library._final_module, preserve=True)
        else:
            module.link_in(library._get_module_for_linking(), preserve=True)
    for name in shared:
        module.get_function(name).linkage = "linkonce_odr"
    missing = [
        function.name for function in module.functions
        if function.is_declaration and function.name.startswith("_ZN")
    ]
    if missing:
        raise RuntimeError(f"not linked: {missing}")


def _defined(module):
    return [
        function.name for function in module.functions
        if not function.is_declaration
        and function.linkage == llvm.Linkage.external
    ]


@contextlib.contextmanager
def _unreduced():
    """Leave out the reduction of strength in loops.

    It takes three quarters of the time for machine code, and makes it no
    faster. Older LLVM complains where an option is set twice.
    """
    if llvm.llvm_version_info < (20,):
        yield
        return
    llvm.set_option("", "-disable-lsr=true")
    try:
        yield
    finally:
        llvm.set_option("", "-disable-lsr=false")


class _Whole(codegen.JITCodeLibrary):
    """Machine code of a function that Python calls."""

    add_llvm_module = _Part.add_llvm_module
    parts = _Part.parts

    def finalize(self):
        """Link each part once, then optimise and emit as numba does."""
        libraries = self.parts({})
        for library in libraries:
            # numba 0.60 has none
            for start in getattr(library, "_reload_init", ()):
                self._reload_init.add(start)
        _link(self._final_module, libraries)
        self._linking_libraries = []
        with _unreduced():
            super().finalize()


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
        state.library.enable_object_caching()
        # the wrappers of loops by several threads are parts, too
        with _libraries(generator, _Part):
            return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class _WholeLowering(_Lowering):
    _name = "fenchel_lowering_of_a_whole"
    library_class = _Whole


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(_Lowering):
    _name = "fenchel_lowering_of_a_part"
    library_class = _Part

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
def _parts_of_numba():
    """Make parts also of the functions of numba's, and of overloads here."""
    part = _PartLowering()
    passes = [_pass_registry.get(kind).pass_inst for kind in _USUAL]

    def lowered_by(usual):
        def run_pass(state):
            function = state.func_id
            if function.modname.startswith(_ROOMS) or (
                function.func_name.startswith("__numba_parfor")
            ):
                return part.run_pass(state)
            with _libraries(state.targetctx.codegen(), _KIND):
                return usual(state)

        return run_pass

    for lowering in passes:
        lowering.run_pass = lowered_by(lowering.run_pass)
    try:
        yield
    finally:
        for lowering in passes:
            del lowering.run_pass


_KIND = codegen.JITCodeLibrary
_USUAL = typed_passes.NativeLowering, typed_passes.NativeParforLowering


class _Memory(typing.Context):
    """numba's typing, which remembers what calls of operators return.

    Shares all else with numba's own: nobody else sees the memory.
    """

    def __init__(self, context):
        self.__dict__ = context.__dict__

    def resolve_function_type(self, func, args, kws):
        try:
            found = None if kws else _seen.get((func, args))
        except TypeError:
            # a constant slice has no hash
            return super().resolve_function_type(func, args, kws)
        if found:
            signature, kind, key = found
            if isinstance(kind, types.Function):
                # what numba's lowering looks up
                kind._impl_keys[signature.args] = key
            return signature
        signature = super().resolve_function_type(func, args, kws)
        kind = self._lookup_global(func) or func
        if signature is not None and isinstance(kind, _REMEMBERED) and (
            not kws and all(a.is_precise() for a in args)
        ):
            _seen[func, args] = signature, kind, kind.get_impl_key(signature)
        return signature


_REMEMBERED = types.Function, types.Dispatcher
_seen = {}


def _allocates(state):
    """Whether a function may own memory: then references are counted."""
    tracked = {}

    def counts(kind):
        if kind not in tracked:
            model = state.targetctx.data_model_manager[kind]
            tracked[kind] = model.contains_nrt_meminfo()
        return tracked[kind]

    def counts_view(kind):
        return counts(kind) and not isinstance(
            kind, (types.Array, types.BaseTuple)
        )

    if counts(state.return_type):
        return True
    for call, signature in state.calltypes.items():
        if signature is None:
            continue
        # a slice is of memory that somebody else owns; a choice by an array,
        # or an array that is written to a slice, may need a copy
        op = getattr(call, "op", "")
        if isinstance(call, (ir.SetItem, ir.StaticSetItem)) or (
            op == "static_getitem"
            or op == "getitem" and isinstance(signature.args[0], types.Array)
        ):
            kinds = signature.args[1:]
        else:
            kinds = [signature.return_type]
        if any(map(counts, kinds)):
            return True
    return any(map(counts_view, state.typemap.values()))


class _Lean:
    """The passes of numba that plain loops need, without its book-keeping.

    What needs more, as a closure or an index into a tuple of several types
    does, is an error here, and goes through numba's own passes then.
    """

    pipeline_name = "lean"

    def __init__(self, lowering):
        self.lowering, self.exec_times = lowering, {}

    @global_compiler_lock
    def run(self, state):
        """Compile, or leave the state to numba's passes with an error."""
        context, target = state.typingctx, state.targetctx
        counted = state.flags.nrt
        try:
            self._type(state, _Memory(context))
            self._lower(state)
        except BaseException:
            state.targetctx, state.flags.nrt = target, counted
            raise
        finally:
            state.typingctx = context

    @staticmethod
    def _type(state, context):
        untyped_passes.TranslateByteCode().run_pass(state)
        function = state.func_ir
        function.blocks = transforms.canonicalize_cfg(function.blocks)
        # constant indices and powers
        rewrites.rewrite_registry.apply("before-inference", state)
        ssa.reconstruct_ssa(function)
        function._definitions = ir_utils.build_definitions(function.blocks)
        state.typingctx = context
        typed_passes.NopythonTypeInference().run_pass(state)

    def _lower(self, state):
        function, phis = state.func_ir, typed_passes.PreLowerStripPhis()
        if state.flags.nrt and _allocates(state):
            phis.run_pass(state)
            typed_passes.NopythonRewrites().run_pass(state)
            postproc.PostProcessor(function).run(True)
        else:
            phis._strip_phi_nodes(function)
            function._definitions = ir_utils.build_definitions(
                function.blocks
            )
            function.generator_info = None
            state.flags.nrt = False
            state.targetctx = state.targetctx.subtarget(enable_nrt=False)
        state.type_annotation = None
        self.lowering().run_pass(state)
        typed_passes.NoPythonBackend().run_pass(state)


class _WholeCompiler(CompilerBase):
    """The lean passes, or numba's but for the lowering."""

    lowering = _WholeLowering

    def compile_extra(self, func):
        """Compile; what numba compiles on the way becomes parts."""
        with _parts_of_numba():
            return super().compile_extra(func)

    def define_pipelines(self):
        full = DefaultPassBuilder.define_nopython_pipeline(self.state)
        full.passes = [
            (self.lowering if step in _USUAL else step, what)
            for step, what in full.passes
        ]
        full.finalize()
        if self.state.flags.auto_parallel.enabled or any(
            isinstance(kind, (types.NoneType, types.Omitted, types.Optional))
            for kind in self.state.args
        ):
            return [full]
        return [_Lean(self.lowering), full]


class _PartCompiler(_WholeCompiler):
    lowering = _PartLowering
    compile_extra = CompilerBase.compile_extra


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
        """Type a call in compiled code."""
        if Dispatcher.fits:
            return self._part.get_call_template(args, kws)
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
