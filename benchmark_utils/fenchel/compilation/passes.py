"""Type functions by the few of numba's passes that plain loops need."""
from numba.core import (
    ir,
    ir_utils,
    postproc,
    rewrites,
    ssa,
    transforms,
    typed_passes,
    types,
    typing,
    untyped_passes,
)
from numba.core.compiler_lock import global_compiler_lock


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


class LeanPasses:
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
