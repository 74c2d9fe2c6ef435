"""Vectors of eight float64 as a type of numba, for kernels written by hand.

LLVM's vectorizer takes 256 bits where the CPU has 512, keeps one sum of a
dot product at a time, and gives up at a branch. Here a kernel says itself
what stays in registers:

>>> total = simd.fma(simd.load(a, i), simd.load(b, i), total)

Each function is an intrinsic of one to eight instructions. A vector has
`LANES` entries whatever the CPU is; LLVM splits it where registers are
shorter. Indices count float64 and are not checked.
"""
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 8
DOUBLE, SINGLE = ir.DoubleType(), ir.FloatType()
INT64, INT32 = ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(DOUBLE, LANES)


class Float64x8(types.Type):
    """Eight float64 in a register."""

    def __init__(self):
        super().__init__(name="Float64x8")


float64x8 = Float64x8()


@register_model(Float64x8)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, VECTOR)


def _constant(value):
    return ir.Constant(VECTOR, [value] * LANES)


def _splat(builder, value):
    undefined = ir.Constant(VECTOR, ir.Undefined)
    single = builder.insert_element(
        undefined, value, ir.Constant(INT32, 0)
    )
    zeros = ir.Constant(ir.VectorType(INT32, LANES), [0] * LANES)
    return builder.shuffle_vector(single, undefined, zeros)


def called(builder, name, *args):
    function = builder.module.globals.get(name) or ir.Function(
        builder.module,
        ir.FunctionType(args[0].type, [one.type for one in args]), name,
    )
    return builder.call(function, args)


def fma_of(builder, a, b, c):
    bits = 64 if a.type.element == DOUBLE else 32
    return called(builder, f"llvm.fma.v{a.type.count}f{bits}", a, b, c)


def data_pointer(context, builder, array_type, array):
    """Pointer to the first entry of an array."""
    return cgutils.create_struct_proxy(array_type)(
        context, builder, value=array
    ).data


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
    """array[index:index + 8]; the array has one dimension, float32 or 64."""

    def codegen(context, builder, signature, args):
        data = data_pointer(context, builder, signature.args[0], args[0])
        scalar = context.get_value_type(signature.args[0].dtype)
        return wide_load(builder, builder.gep(data, [args[1]]), scalar)

    if is_flat(array):
        return float64x8(array, types.intp), codegen
    return None


@intrinsic
def store(typingctx, array, index, value):
    """array[index:index + 8] = value."""

    def codegen(context, builder, signature, args):
        data = data_pointer(context, builder, signature.args[0], args[0])
        wide_store(builder, args[2], builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    if is_flat(array):
        return types.void(array, types.intp, float64x8), codegen
    return None


@intrinsic
def get(typingctx, array, index):
    """array[index], without a look whether the index is negative."""

    def codegen(context, builder, signature, args):
        data = data_pointer(context, builder, signature.args[0], args[0])
        return builder.load(builder.gep(data, [args[1]]))

    if is_flat(array) and array.dtype == types.float64:
        return types.float64(array, types.intp), codegen
    return None


@intrinsic
def put(typingctx, array, index, value):
    """array[index] = value, the same."""

    def codegen(context, builder, signature, args):
        data = data_pointer(context, builder, signature.args[0], args[0])
        builder.store(args[2], builder.gep(data, [args[1]]))
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


def _binary(instruction, text):
    def codegen(context, builder, signature, args):
        return getattr(builder, instruction)(*args)

    def typing(typingctx, a, b):
        return float64x8(float64x8, float64x8), codegen

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

    return float64x8(float64x8, float64x8, float64x8), codegen


@intrinsic
def magnitude(typingctx, a):
    """abs(a)"""

    def codegen(context, builder, signature, args):
        return called(builder, f"llvm.fabs.v{LANES}f64", args[0])

    return float64x8(float64x8), codegen


@intrinsic
def where_positive(typingctx, condition, a, b):
    """a where condition > 0, b elsewhere and where it is NaN."""

    def codegen(context, builder, signature, args):
        chosen = builder.fcmp_ordered(">", args[0], _constant(0.0))
        return builder.select(chosen, args[1], args[2])

    return float64x8(float64x8, float64x8, float64x8), codegen


def larger_of(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@intrinsic
def larger(typingctx, a, b):
    """max(a, b); b where one is NaN."""

    def codegen(context, builder, signature, args):
        return larger_of(builder, *args)

    return float64x8(float64x8, float64x8), codegen


def _fold(combine, text):
    """An intrinsic that makes one number of eight, pairwise."""

    def codegen(context, builder, signature, args):
        (a,) = args
        for half in (4, 2, 1):
            low = shuffled(builder, a, a, range(half))
            high = shuffled(builder, a, a, range(half, 2 * half))
            a = combine(builder, low, high)
        return builder.extract_element(a, ir.Constant(INT32, 0))

    def typing(typingctx, a):
        return types.float64(float64x8), codegen

    typing.__doc__ = text
    return intrinsic(typing)


total = _fold(
    lambda builder, a, b: builder.fadd(a, b), "The sum of the eight entries."
)
product = _fold(
    lambda builder, a, b: builder.fmul(a, b), "Their product."
)
largest = _fold(larger_of, "The largest of them.")
