"""exp, log and the logistic function of whole vectors.

Intrinsics on the vectors of `simd`, without branches.
"""
from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..compilation import bare
from ..linalg import simd
from ..linalg.cpu import vector_bytes
from ..linalg.simd import (
    DOUBLE,
    INT32,
    INT64,
    LANES,
    SINGLE,
    VECTOR,
    Vector,
    float64x8,
    fma_of,
    larger_of,
    magnitude_of,
    shuffled,
)

_LOG2E = 1.4426950408889634


class _Exp(NamedTuple):
    """exp of a type: 2^k times a polynomial of r = x - k log(2).

    lowest : float
        At what is below it, exp(lowest) is given: further down the bits of
        the exponent would overflow.
    rounder : float
        1.5 2^(bits of the significand): the low bits of a sum with it are k.
    log2 : list of float
        log(2) in parts, the high one with bits to spare for k.
    powers : list of float
        Of exp(r) for |r| <= log(2) / 2, by Remez' exchange.
    """

    lowest: float
    rounder: float
    log2: list
    powers: list


_EXP = {
    # 1e-304; relative error 4e-18
    DOUBLE: _Exp(
        -700.0, 6755399441055744.0,
        [6.93147180369123816490e-01, 1.90821492927058770002e-10],
        [
            1.0, 1.0, 0.5000000000000011, 0.16666666666666413,
            0.041666666666530155, 0.008333333333494461,
            0.0013888888943630134, 0.00019841269506578723,
            2.480149309888739e-05, 2.755758637378518e-06,
            2.763024838532302e-07, 2.500006162553128e-08,
        ],
    ),
    # 4e-38; 1e-7, and 2e-9 k as log(2) is in one part
    SINGLE: _Exp(
        -86.0, 12582912.0, [0.6931471805599453],
        [
            1.0, 1.0, 0.49999231791609194, 0.1666711446536624,
            0.041890113149872565, 0.008312524865838541,
        ],
    ),
}
# Of 2 atanh(s) / s in s^2: Taylor
_ATANH = [2 / k for k in range(1, 32, 2)]


def _integers(vector):
    """The type of its bits, and those of a significand."""
    scalar, bits = (INT64, 52) if vector.element == DOUBLE else (INT32, 23)
    return ir.VectorType(scalar, vector.count), bits


def _constants(builder, name, values, vector=VECTOR):
    """A function a constant, which gives its vector where it is called.

    Where a register holds a vector of float64, there are 32 and they stay
    there. With 16 LLVM broadcasts the constants of a loop again in each round,
    and stores them on the stack. So there they are read from a table that it
    cannot see through: 106 instead of 156 instructions for eight weights, 200
    of them in 0.33 instead of 0.38 us. Those of float32 are fewer and better
    left to LLVM: 192 exponentials in 62 instead of 84 ns, with Horner's rule.
    """
    if vector_bytes() == 64 or vector != VECTOR:
        return [
            lambda value=value: ir.Constant(vector, [value] * vector.count)
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

    In x^2 for even and odd powers where a vector of float64 is two registers:
    what depends on each other is half as long then. 576 weights and losses on
    AVX2: 2.0 instead of 2.6 us. The six powers of float32 are too few for it.
    """

    def horner(x, powers):
        result = powers[-1]()
        for one in powers[-2::-1]:
            result = fma_of(builder, result, x, one())
        return result

    if vector_bytes() == 64 or x.type != VECTOR:
        return horner(x, powers)
    square = builder.fmul(x, x)
    even, odd = horner(square, powers[::2]), horner(square, powers[1::2])
    return fma_of(builder, odd, x, even)


def _exp(builder, x):
    integers, bits = _integers(x.type)
    kind = _EXP[x.type.element]
    lowest, log2e, rounder, *rest = _constants(
        builder, "exp",
        [
            kind.lowest, _LOG2E, kind.rounder, *(-one for one in kind.log2),
            *kind.powers,
        ],
        x.type,
    )
    parts, powers = rest[:len(kind.log2)], rest[len(kind.log2):]
    x = larger_of(builder, x, lowest())
    # its low bits are the exponent
    shifted = fma_of(builder, x, log2e(), rounder())
    exponent = builder.fsub(shifted, rounder())
    for part in parts:
        x = fma_of(builder, exponent, part(), x)
    added = builder.shl(
        builder.bitcast(shifted, integers),
        ir.Constant(integers, [bits] * x.type.count),
    )
    value = builder.bitcast(_polynomial(builder, x, powers), integers)
    return builder.bitcast(builder.add(value, added), x.type)


@intrinsic
def exp_of_negative(typingctx, x):
    """exp(x) for eight x <= 0, as `datafits.margins.exp_of_negative`."""

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


@bare
def log1p_of_unit(e):
    """log(1 + e) for eight e in [0, 1]."""
    return twice_atanh(simd.div(e, simd.add(e, simd.splat(2.0))))


@intrinsic
def weights_of(typingctx, m):
    """sigmoid(-m) and sigmoid(m) sigmoid(-m) of a vector of margins."""

    def codegen(context, builder, signature, args):
        (m,) = args
        integers, _ = _integers(m.type)
        (one,) = _constants(builder, "one", [1.0], m.type)
        e = _exp(builder, builder.fneg(magnitude_of(builder, m)))
        q = builder.fdiv(one(), builder.fadd(one(), e))
        small = builder.fmul(e, q)
        negative = builder.icmp_signed(
            "<", builder.bitcast(m, integers),
            ir.Constant(integers, [0] * m.type.count),
        )
        weight = builder.select(negative, q, small)
        return context.make_tuple(
            builder, signature.return_type, [weight, builder.fmul(small, q)]
        )

    if isinstance(m, Vector):
        return types.UniTuple(m, 2)(m), codegen
    return None
