"""Vectors of 64 bytes as types of numba, for kernels written by hand.

LLVM's vectorizer takes 256 bits where the CPU has 512, keeps one sum of a
dot product at a time, and gives up at a branch. Here a kernel says itself
what stays in registers:

>>> total = simd.fma(simd.load(a, i), simd.load(b, i), total)

Each function is an intrinsic of one to eight instructions. A vector has
`LANES` float64 whatever the CPU is; LLVM splits it where registers are
shorter. Arrays of float32 can be loaded as such vectors. `read`, `fill` and
`lanes` are of the array's own type, for float32 vectors of twice as many
entries, so a kernel that uses these is for both. Indices count entries of the
array and are checked only where `compilation.CHECKED` asks for it.
"""
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array, populate_array

from ..compilation import CHECKED

LANES = 8
# Of float32, as many bytes: two registers of 32, so that one waits for its
# last result while the other works; 192 weights in 111 instead of 117 ns
SINGLE_LANES = 16
DOUBLE, SINGLE = ir.DoubleType(), ir.FloatType()
INT64, INT32 = ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(DOUBLE, LANES)
SINGLE_VECTOR = ir.VectorType(SINGLE, SINGLE_LANES)


class Vector(types.Type):
    """Floats in one or more registers."""


float64x8, float32x16 = Vector("float64x8"), Vector("float32x16")
_OF = {types.float64: float64x8, types.float32: float32x16}


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        vector = VECTOR if fe_type == float64x8 else SINGLE_VECTOR
        super().__init__(dmm, fe_type, vector)


def _splat(builder, value):
    lanes = LANES if value.type == DOUBLE else SINGLE_LANES
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    single = builder.insert_element(
        undefined, value, ir.Constant(INT32, 0)
    )
    zeros = ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(single, undefined, zeros)


def called(builder, name, *args):
    function = builder.module.globals.get(name) or ir.Function(
        builder.module,
        ir.FunctionType(args[0].type, [one.type for one in args]), name,
    )
    return builder.call(function, args)


def _suffix(vector):
    return f"v{vector.count}f{64 if vector.element == DOUBLE else 32}"


def fma_of(builder, a, b, c):
    return called(builder, f"llvm.fma.{_suffix(a.type)}", a, b, c)


def magnitude_of(builder, a):
    return called(builder, f"llvm.fabs.{_suffix(a.type)}", a)


def address(context, builder, array_type, array, index, count, scalar=None):
    """Return a pointer to array[index], from where `count` entries are used.

    They are checked to belong to the array where that is asked for. Entries
    are of the type `scalar`, by default the array's own; `count` may be a
    number of LLVM.
    """
    parts = cgutils.create_struct_proxy(array_type)(
        context, builder, value=array
    )
    own = context.get_value_type(array_type.dtype)
    scalar = scalar or own
    if CHECKED:
        if isinstance(count, int):
            count = ir.Constant(INT64, count)
        halves = 2 if scalar == SINGLE and own == DOUBLE else 1
        size = builder.mul(parts.nitems, ir.Constant(INT64, halves))
        outside = builder.or_(
            builder.icmp_signed("<", index, ir.Constant(INT64, 0)),
            builder.icmp_signed(">", builder.add(index, count), size),
        )
        with builder.if_then(outside, likely=False):
            context.call_conv.return_user_exc(
                builder, IndexError, ("a vector lies beyond its array",)
            )
    data = builder.bitcast(parts.data, scalar.as_pointer())
    return builder.gep(data, [index])


def is_flat(array):
    """Strides are ignored, so there must be none."""
    return array.ndim == 1 and array.layout == "C"


def plain_load(builder, pointer, vector):
    loaded = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    loaded.align = 8 if vector.element == DOUBLE else 4
    return loaded


def wide_load(builder, pointer, scalar=DOUBLE, lanes=LANES):
    """As float64."""
    loaded = plain_load(builder, pointer, ir.VectorType(scalar, lanes))
    if scalar == DOUBLE:
        return loaded
    return builder.fpext(loaded, ir.VectorType(DOUBLE, lanes))


def wide_store(builder, value, pointer, align=8):
    builder.store(
        value, builder.bitcast(pointer, value.type.as_pointer())
    ).align = align


def shuffled(builder, a, b, lanes):
    mask = ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes))
    return builder.shuffle_vector(a, b, mask)


@intrinsic
def load(typingctx, array, index):
    """array[index:index + 8] as float64; the array may be float32."""

    def codegen(context, builder, signature, args):
        place = address(context, builder, signature.args[0], *args, LANES)
        scalar = context.get_value_type(signature.args[0].dtype)
        return wide_load(builder, place, scalar)

    if is_flat(array):
        return float64x8(array, types.intp), codegen
    return None


def _view(result):
    """An intrinsic for a flat view of an array in C order, without a check.

    `result` gives the type of its entries from the array's.
    """

    def typing(typingctx, array):
        scalar = result(array.dtype)

        def codegen(context, builder, signature, args):
            source = make_array(array)(context, builder, args[0])
            kind = signature.return_type
            view = make_array(kind)(context, builder)
            own, size = (
                context.get_abi_sizeof(context.get_data_type(one))
                for one in (array.dtype, scalar)
            )
            entries = builder.mul(
                source.nitems, ir.Constant(INT64, own // size)
            )
            populate_array(
                view, data=builder.bitcast(source.data, view.data.type),
                shape=[entries], strides=[ir.Constant(INT64, size)],
                itemsize=ir.Constant(INT64, size), meminfo=source.meminfo,
                parent=source.parent,
            )
            return impl_ret_borrowed(
                context, builder, kind, view._getvalue()
            )

        return types.Array(scalar, 1, "C")(array), codegen

    return intrinsic(typing)


# numba's own take 0.3 s to compile
flattened = _view(lambda scalar: scalar)
as_singles = _view(lambda scalar: types.float32)


@intrinsic
def first_line(typingctx, array):
    """The first entry of a float64 array that begins a cache line."""

    def codegen(context, builder, signature, args):
        place = builder.ptrtoint(
            address(context, builder, signature.args[0], *args, zero, 0),
            INT64,
        )
        behind = builder.lshr(builder.neg(place), ir.Constant(INT64, 3))
        return builder.and_(behind, ir.Constant(INT64, LANES - 1))

    zero = ir.Constant(INT64, 0)
    return types.intp(array), codegen


@intrinsic
def least(typingctx, a, b):
    """min(a, b) of two integers, where numba's compiles for each constant."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.icmp_signed("<", *args), *args)

    if isinstance(a, types.Integer) and isinstance(b, types.Integer):
        return types.intp(types.intp, types.intp), codegen
    return None


@intrinsic
def lanes(typingctx, array):
    """How many entries `read` reads."""

    def codegen(context, builder, signature, args):
        return ir.Constant(INT64, context.get_value_type(vector).count)

    vector = _OF.get(array.dtype)
    return vector and (types.intp(array), codegen)


@intrinsic
def read(typingctx, array, index):
    """A vector of the array's own type, from array[index] on."""

    def codegen(context, builder, signature, args):
        vector = context.get_value_type(signature.return_type)
        place = address(
            context, builder, signature.args[0], *args, vector.count
        )
        return plain_load(builder, place, vector)

    if is_flat(array) and array.dtype in _OF:
        return _OF[array.dtype](array, types.intp), codegen
    return None


@intrinsic
def store(typingctx, array, index, value):
    """A vector of the array's own type goes to array[index] and on."""

    def codegen(context, builder, signature, args):
        array, index, vector = args
        place = address(
            context, builder, signature.args[0], array, index,
            vector.type.count,
        )
        wide_store(builder, vector, place, 8 if value == float64x8 else 4)
        return context.get_dummy_value()

    if is_flat(array) and _OF.get(array.dtype) == value:
        return types.void(array, types.intp, value), codegen
    return None


@intrinsic
def get(typingctx, array, index):
    """array[index], without a look whether the index is negative."""

    def codegen(context, builder, signature, args):
        return builder.load(
            address(context, builder, signature.args[0], *args, 1)
        )

    if is_flat(array) and array.dtype == types.float64:
        return types.float64(array, types.intp), codegen
    return None


@intrinsic
def put(typingctx, array, index, value):
    """array[index] = value, the same."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], address(
            context, builder, signature.args[0], *args[:2], 1
        ))
        return context.get_dummy_value()

    if is_flat(array) and array.dtype == types.float64:
        return types.void(array, types.intp, types.float64), codegen
    return None


@intrinsic
def splat(typingctx, value):
    """Eight times the same number."""

    def codegen(context, builder, signature, args):
        return _splat(builder, args[0])

    return float64x8(types.float64), codegen


@intrinsic
def fill(typingctx, array, value):
    """Repeat a number in a vector of the array's own type."""

    def codegen(context, builder, signature, args):
        value = args[1]
        if array.dtype == types.float32:
            value = builder.fptrunc(value, SINGLE)
        return _splat(builder, value)

    if is_flat(array) and array.dtype in _OF:
        return _OF[array.dtype](array, types.float64), codegen
    return None


def _alike(*vectors):
    """Their type where it is one, of vectors; else None: no such function."""
    first = vectors[0]
    alike = isinstance(first, Vector) and set(vectors) == {first}
    return first if alike else None


def _binary(instruction, text):
    def codegen(context, builder, signature, args):
        return getattr(builder, instruction)(*args)

    def typing(typingctx, a, b):
        vector = _alike(a, b)
        return vector and (vector(a, b), codegen)

    typing.__doc__ = text
    return intrinsic(typing)


add = _binary("fadd", "a + b")
sub = _binary("fsub", "a - b")
mul = _binary("fmul", "a * b")
div = _binary("fdiv", "a / b")


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once."""

    def codegen(context, builder, signature, args):
        return fma_of(builder, *args)

    vector = _alike(a, b, c)
    return vector and (vector(a, b, c), codegen)


@intrinsic
def magnitude(typingctx, a):
    """abs(a)"""

    def codegen(context, builder, signature, args):
        return magnitude_of(builder, *args)

    vector = _alike(a)
    return vector and (vector(a), codegen)


@intrinsic
def where_positive(typingctx, condition, a, b):
    """a where condition > 0, b elsewhere and where it is NaN."""

    def codegen(context, builder, signature, args):
        zero = ir.Constant(args[0].type, [0.0] * args[0].type.count)
        chosen = builder.fcmp_ordered(">", args[0], zero)
        return builder.select(chosen, args[1], args[2])

    vector = _alike(condition, a, b)
    return vector and (vector(condition, a, b), codegen)


def larger_of(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@intrinsic
def larger(typingctx, a, b):
    """max(a, b); b where one is NaN."""

    def codegen(context, builder, signature, args):
        return larger_of(builder, *args)

    vector = _alike(a, b)
    return vector and (vector(a, b), codegen)


def _fold(combine, text):
    """An intrinsic that makes one float64 of a vector, pairwise."""

    def codegen(context, builder, signature, args):
        (a,) = args
        half = a.type.count
        while half > 1:
            half //= 2
            low = shuffled(builder, a, a, range(half))
            high = shuffled(builder, a, a, range(half, 2 * half))
            a = combine(builder, low, high)
        result = builder.extract_element(a, ir.Constant(INT32, 0))
        if result.type == SINGLE:
            result = builder.fpext(result, DOUBLE)
        return result

    def typing(typingctx, a):
        return _alike(a) and (types.float64(a), codegen)

    typing.__doc__ = text
    return intrinsic(typing)


total = _fold(
    lambda builder, a, b: builder.fadd(a, b), "The sum of the entries."
)
product = _fold(
    lambda builder, a, b: builder.fmul(a, b), "Their product."
)
largest = _fold(larger_of, "The largest of them.")
