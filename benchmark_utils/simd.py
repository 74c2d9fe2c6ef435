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
_DOUBLE, _INT64, _INT32 = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_INTEGERS = ir.VectorType(_INT64, LANES)


class Float64x8(types.Type):
    """Eight float64 in a register."""

    def __init__(self):
        super().__init__(name="Float64x8")


float64x8 = Float64x8()


@register_model(Float64x8)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _VECTOR)


def _constant(value):
    return ir.Constant(_VECTOR, [value] * LANES)


def _splat(builder, value):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(
        undefined, value, ir.Constant(_INT32, 0)
    )
    zeros = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)
    return builder.shuffle_vector(single, undefined, zeros)


def _called(builder, name, *args):
    function = builder.module.globals.get(name) or ir.Function(
        builder.module,
        ir.FunctionType(args[0].type, [one.type for one in args]), name,
    )
    return builder.call(function, args)


def _fma(builder, a, b, c):
    return _called(builder, f"llvm.fma.v{LANES}f64", a, b, c)


def _data(context, builder, array_type, array):
    """Pointer to the first entry of an array."""
    return cgutils.create_struct_proxy(array_type)(
        context, builder, value=array
    ).data


def _is_flat(array):
    """Strides are ignored, so there must be none."""
    return array.ndim == 1 and array.layout == "C"


def _wide_load(builder, pointer, scalar=_DOUBLE):
    vector = ir.VectorType(scalar, LANES)
    loaded = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    loaded.align = 8 if scalar == _DOUBLE else 4
    return loaded if scalar == _DOUBLE else builder.fpext(loaded, _VECTOR)


def _wide_store(builder, value, pointer):
    builder.store(
        value, builder.bitcast(pointer, value.type.as_pointer())
    ).align = 8


def _shuffled(builder, a, b, lanes):
    mask = ir.Constant(ir.VectorType(_INT32, len(lanes)), list(lanes))
    return builder.shuffle_vector(a, b, mask)


@intrinsic
def load(typingctx, array, index):
    """array[index:index + 8]; the array has one dimension, float32 or 64."""

    def codegen(context, builder, signature, args):
        data = _data(context, builder, signature.args[0], args[0])
        scalar = context.get_value_type(signature.args[0].dtype)
        return _wide_load(builder, builder.gep(data, [args[1]]), scalar)

    if _is_flat(array):
        return float64x8(array, types.intp), codegen
    return None


@intrinsic
def store(typingctx, array, index, value):
    """array[index:index + 8] = value."""

    def codegen(context, builder, signature, args):
        data = _data(context, builder, signature.args[0], args[0])
        _wide_store(builder, args[2], builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    if _is_flat(array):
        return types.void(array, types.intp, float64x8), codegen
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
        return _fma(builder, *args)

    return float64x8(float64x8, float64x8, float64x8), codegen


@intrinsic
def magnitude(typingctx, a):
    """abs(a)"""

    def codegen(context, builder, signature, args):
        return _called(builder, f"llvm.fabs.v{LANES}f64", args[0])

    return float64x8(float64x8), codegen


@intrinsic
def where_positive(typingctx, condition, a, b):
    """a where condition > 0, b elsewhere and where it is NaN."""

    def codegen(context, builder, signature, args):
        chosen = builder.fcmp_ordered(">", args[0], _constant(0.0))
        return builder.select(chosen, args[1], args[2])

    return float64x8(float64x8, float64x8, float64x8), codegen


@intrinsic
def times_power_of_two(typingctx, value, shifted):
    """value * 2^k, k being in the low bits of `shifted` = k + rounder."""

    def codegen(context, builder, signature, args):
        power = builder.shl(
            builder.bitcast(args[1], _INTEGERS),
            ir.Constant(_INTEGERS, [52] * LANES),
        )
        bits = builder.add(builder.bitcast(args[0], _INTEGERS), power)
        return builder.bitcast(bits, _VECTOR)

    return float64x8(float64x8, float64x8), codegen


def polynomial(coefficients):
    """The intrinsic p(x) by Horner's rule, the highest coefficient first."""

    def codegen(context, builder, signature, args):
        result = _constant(coefficients[0])
        for value in coefficients[1:]:
            result = _fma(builder, result, args[0], _constant(value))
        return result

    @intrinsic
    def evaluate(typingctx, x):
        return float64x8(float64x8), codegen

    return evaluate


def _summed(builder, a):
    """The sum of eight lanes, pairwise."""
    for half in (4, 2, 1):
        low = _shuffled(builder, a, a, range(half))
        high = _shuffled(builder, a, a, range(half, 2 * half))
        a = builder.fadd(low, high)
    return builder.extract_element(a, ir.Constant(_INT32, 0))


@intrinsic
def total(typingctx, a):
    """The sum of the eight entries."""

    def codegen(context, builder, signature, args):
        return _summed(builder, args[0])

    return types.float64(float64x8), codegen


def make_tile(rows, columns, diagonal):
    """An intrinsic for a tile of A diag(h) B', whose sums are in registers.

    tile(work, a, b, stride, h, depth, sums): row i of A begins at work[a + i
    stride], row k of B at work[b + k stride], h at work[h]; all have `depth`
    vectors. The vector sum of A_i h B_k is added to the one at work[sums + 8
    (4 k + i)]; of a diagonal tile, where B is A, only k <= i are computed.
    """
    entries = [
        (i, k) for k in range(columns) for i in range(rows)
        if k <= i or not diagonal
    ]

    def codegen(context, builder, signature, args):
        a, b, stride, h, depth, sums = args[1:]
        data = _data(context, builder, signature.args[0], args[0])

        def constant(value):
            return ir.Constant(_INT64, value)

        def starts(first, count):
            return [
                builder.gep(data, [
                    builder.add(first, builder.mul(stride, constant(i)))
                ]) for i in range(count)
            ]

        from_a, from_h = starts(a, rows), builder.gep(data, [h])
        from_b = from_a if diagonal else starts(b, columns)
        target = builder.gep(data, [sums])
        places = [
            builder.gep(target, [constant(LANES * (4 * k + i))])
            for i, k in entries
        ]
        old = [_wide_load(builder, place) for place in places]
        before = builder.block
        loop = builder.append_basic_block("tile.loop")
        done = builder.append_basic_block("tile.done")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(_INT64)
        held = [builder.phi(_VECTOR) for _ in entries]
        offset = builder.mul(index, constant(LANES))

        def at(start):
            return _wide_load(builder, builder.gep(start, [offset]))

        in_a = [at(one) for one in from_a]
        weight = at(from_h)
        scaled = [builder.fmul(one, weight) for one in in_a]
        in_b = in_a if diagonal else [at(one) for one in from_b]
        new = [
            _fma(builder, scaled[i], in_b[k], one)
            for (i, k), one in zip(entries, held, strict=True)
        ]
        following = builder.add(index, constant(1))
        builder.cbranch(
            builder.icmp_signed("<", following, depth), loop, done
        )
        for phi, first, then in zip(
            [index, *held], [constant(0), *old], [following, *new],
            strict=True,
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        builder.position_at_end(done)
        for value, place in zip(new, places, strict=True):
            _wide_store(builder, value, place)
        return context.get_dummy_value()

    @intrinsic
    def tile(typingctx, work, a, b, stride, h, depth, sums):
        return types.void(work, *[types.intp] * 6), codegen

    return tile


@intrinsic
def sum_four(typingctx, work, source, target):
    """work[target + k] = sum of the vector at work[source + 8 k], k < 4."""

    def codegen(context, builder, signature, args):
        data = _data(context, builder, signature.args[0], args[0])
        start = builder.gep(data, [args[1]])
        a, b, c, d = (
            _wide_load(
                builder, builder.gep(start, [ir.Constant(_INT64, LANES * k)])
            ) for k in range(4)
        )

        def folded(a, b, even, odd):
            return builder.fadd(
                _shuffled(builder, a, b, even), _shuffled(builder, a, b, odd)
            )

        even, odd = (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)
        ab, cd = folded(a, b, even, odd), folded(c, d, even, odd)
        even, odd = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
        halves = folded(ab, cd, even, odd)
        sums = folded(halves, halves, (0, 1, 2, 3), (4, 5, 6, 7))
        _wide_store(builder, sums, builder.gep(data, [args[2]]))
        return context.get_dummy_value()

    return types.void(work, types.intp, types.intp), codegen


@intrinsic
def transpose(typingctx, data, source, stride, factors, work, target, pitch):
    """Eight rows of eight entries become eight columns, scaled.

    work[target + j pitch + i] = data[source + i stride + j] factors[i], for
    i, j < 8; data may be float32.
    """

    def codegen(context, builder, signature, args):
        scalar = context.get_value_type(signature.args[0].dtype)
        pointer = builder.gep(
            _data(context, builder, signature.args[0], args[0]), [args[1]]
        )
        out = builder.gep(
            _data(context, builder, signature.args[4], args[4]), [args[5]]
        )
        rows = []
        for _ in range(LANES):
            rows.append(_wide_load(builder, pointer, scalar))
            pointer = builder.gep(pointer, [args[2]])

        def exchanged(rows, distance, low, high):
            result = list(rows)
            for i in range(LANES):
                if not i & distance:
                    a, b = rows[i], rows[i + distance]
                    result[i] = _shuffled(builder, a, b, low)
                    result[i + distance] = _shuffled(builder, a, b, high)
            return result

        rows = exchanged(
            rows, 1, (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)
        )
        rows = exchanged(
            rows, 2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
        )
        rows = exchanged(
            rows, 4, (0, 1, 2, 3, 8, 9, 10, 11),
            (4, 5, 6, 7, 12, 13, 14, 15),
        )
        for row in rows:
            _wide_store(builder, builder.fmul(row, args[3]), out)
            out = builder.gep(out, [args[6]])
        return context.get_dummy_value()

    if not _is_flat(data):
        return None
    signature = types.void(
        data, types.intp, types.intp, float64x8, work, types.intp, types.intp
    )
    return signature, codegen
