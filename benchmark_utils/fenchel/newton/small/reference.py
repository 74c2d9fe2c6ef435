"""NamedTuples that compiled functions hand on by a pointer.

numba passes each entry by itself, and stores all of them for each use of one:
70 of a fit, through a dozen of functions, were a third of their compiling.
"""
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)


class Reference(types.Type):
    """A pointer to a NamedTuple on the stack; what is in it is read alike."""

    def __init__(self, target):
        self.target = target
        super().__init__(f"Reference({target})")


@register_model(Reference)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, kind):
        value = manager.lookup(kind.target).get_value_type()
        super().__init__(manager, kind, value.as_pointer())


def _entry(kind, name):
    """Return the place and the type of an entry."""
    place = kind.target.fields.index(name)
    return place, kind.target[place]


@infer_getattr
class _Attributes(AttributeTemplate):
    key = Reference

    def generic_resolve(self, kind, name):
        if name not in kind.target.fields:
            return None
        _, entry = _entry(kind, name)
        nested = isinstance(entry, types.BaseNamedTuple)
        return Reference(entry) if nested else entry


@lower_getattr_generic(Reference)
def _read(context, builder, kind, pointer, name):
    place, entry = _entry(kind, name)
    pointer = cgutils.gep_inbounds(builder, pointer, 0, place)
    if isinstance(entry, types.BaseNamedTuple):
        return pointer
    return builder.load(pointer)


@intrinsic
def refer(typingctx, values):
    """A reference to a NamedTuple, for functions that its maker calls.

    It is not to be returned, and owns no array.
    """

    def codegen(context, builder, signature, args):
        return cgutils.alloca_once_value(builder, args[0])

    return Reference(values)(values), codegen
