"""exp, log and the logistic function of eight numbers at once.

Intrinsics on the vectors of `simd`, without branches.
"""
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from benchmark_utils import simd
from benchmark_utils.cpu import vector_bytes
from benchmark_utils.simd import (
    DOUBLE,
    INT32,
    INT64,
    LANES,
    VECTOR,
    called,
    float64x8,
    fma_of,
    larger_of,
    shuffled,
)

# exp there is 1e-304; further down the bits of its exponent would overflow
_LOWEST = -700.0
_LOG2E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ROUNDER = 6755399441055744.0
# Of exp(r) for |r| <= log(2) / 2, by Remez' exchange: relative error 4e-18
_EXP = [
    1.0, 1.0, 0.5000000000000011, 0.16666666666666413, 0.041666666666530155,
    0.008333333333494461, 0.0013888888943630134, 0.00019841269506578723,
    2.480149309888739e-05, 2.755758637378518e-06, 2.763024838532302e-07,
    2.500006162553128e-08,
]
# Of 2 atanh(s) / s in s^2: Taylor
_ATANH = [2 / k for k in range(1, 32, 2)]
_INTEGERS = ir.VectorType(INT64, LANES)


def _constants(builder, name, values):
    """A function a constant, which gives its vector where it is called.

    Where a register holds a vector, there are 32 and they stay there. With 16
    LLVM broadcasts the constants of a loop again in each round, and stores
    them on the stack. So there they are read from a table that it cannot see
    through: 106 instead of 156 instructions for eight weights, 200 of them in
    0.33 instead of 0.38 us.
    """
    if vector_bytes() == 64:
        return [
            lambda value=value: ir.Constant(VECTOR, [value] * LANES)
            for value in values
        ]
    half = ir.VectorType(DOUBLE, LANES // 2)
    kind = ir.ArrayType(half, len(values))
    name = f"benchmark.constants.{name}"
    table = builder.module.globals.get(name)
    if table is None:
        table = ir.GlobalVariable(builder.module, kind, name)
        # may be replaced by the linker, says this: so it is not looked into
        table.linkage = "weak"
        table.align = 32
        table.initializer = ir.Constant(kind, [
            ir.Constant(half, [value] * (LANES // 2)) for value in values
        ])

    def read(k):
        place = builder.gep(
            table, [ir.Constant(INT32, 0), ir.Constant(INT32, k)]
        )
        one = builder.load(place)
        return shuffled(builder, one, one, [*range(LANES // 2)] * 2)

    return [lambda k=k: read(k) for k in range(len(values))]


def _polynomial(builder, x, powers):
    """sum_k powers[k]() x^k by Horner's rule.

    In x^2 for even and odd powers where a vector is two registers: what
    depends on each other is half as long then. 576 weights and losses on
    AVX2: 2.0 instead of 2.6 us.
    """

    def horner(x, powers):
        result = powers[-1]()
        for one in powers[-2::-1]:
            result = fma_of(builder, result, x, one())
        return result

    if vector_bytes() == 64:
        return horner(x, powers)
    square = builder.fmul(x, x)
    even, odd = horner(square, powers[::2]), horner(square, powers[1::2])
    return fma_of(builder, odd, x, even)


def _exp(builder, x):
    lowest, log2e, rounder, high, low, *powers = _constants(
        builder, "exp",
        [_LOWEST, _LOG2E, _ROUNDER, -_LN2_HIGH, -_LN2_LOW, *_EXP],
    )
    x = larger_of(builder, x, lowest())
    # its low bits are the exponent
    shifted = fma_of(builder, x, log2e(), rounder())
    exponent = builder.fsub(shifted, rounder())
    r = fma_of(builder, exponent, high(), x)
    r = fma_of(builder, exponent, low(), r)
    bits = builder.shl(
        builder.bitcast(shifted, _INTEGERS),
        ir.Constant(_INTEGERS, [52] * LANES),
    )
    value = builder.bitcast(_polynomial(builder, r, powers), _INTEGERS)
    return builder.bitcast(builder.add(value, bits), VECTOR)


@intrinsic
def exp_of_negative(typingctx, x):
    """exp(x) for eight x <= 0, as `vector_math.exp_of_negative`."""

    def codegen(context, builder, signature, args):
        return _exp(builder, args[0])

    return float64x8(float64x8), codegen


@intrinsic
def twice_atanh(typingctx, s):
    """2 atanh(s) = log((1 + s) / (1 - s)) for eight s in [0, 1 / 3]."""

    def codegen(context, builder, signature, args):
        (s,) = args
        powers = _constants(builder, "atanh", _ATANH)
        return builder.fmul(
            s, _polynomial(builder, builder.fmul(s, s), powers)
        )

    return float64x8(float64x8), codegen


@njit(error_model="numpy", cache=True)
def log1p_of_unit(e):
    """log(1 + e) for eight e in [0, 1]."""
    return twice_atanh(simd.div(e, simd.add(e, simd.splat(2.0))))


@intrinsic
def weights_of(typingctx, m):
    """sigmoid(-m) and sigmoid(m) sigmoid(-m) of eight margins."""

    def codegen(context, builder, signature, args):
        (m,) = args
        (one,) = _constants(builder, "one", [1.0])
        size = called(builder, f"llvm.fabs.v{LANES}f64", m)
        e = _exp(builder, builder.fneg(size))
        q = builder.fdiv(one(), builder.fadd(one(), e))
        small = builder.fmul(e, q)
        negative = builder.icmp_signed(
            "<", builder.bitcast(m, _INTEGERS),
            ir.Constant(_INTEGERS, [0] * LANES),
        )
        weight = builder.select(negative, q, small)
        return context.make_tuple(
            builder, signature.return_type, [weight, builder.fmul(small, q)]
        )

    return types.UniTuple(float64x8, 2)(float64x8), codegen
