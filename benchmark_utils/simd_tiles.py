"""Larger pieces of vector code: tiles of a Hessian, transposed blocks.

Intrinsics on the vectors of `simd`, for arrays of one dimension; offsets and
strides count their entries.
"""
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from benchmark_utils.simd import (
    INT64,
    LANES,
    VECTOR,
    data_pointer,
    float64x8,
    fma_of,
    is_flat,
    shuffled,
    wide_load,
    wide_store,
)


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
        data = data_pointer(context, builder, signature.args[0], args[0])

        def constant(value):
            return ir.Constant(INT64, value)

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
        old = [wide_load(builder, place) for place in places]
        before = builder.block
        loop = builder.append_basic_block("tile.loop")
        done = builder.append_basic_block("tile.done")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INT64)
        held = [builder.phi(VECTOR) for _ in entries]
        offset = builder.mul(index, constant(LANES))

        def at(start):
            return wide_load(builder, builder.gep(start, [offset]))

        in_a = [at(one) for one in from_a]
        weight = at(from_h)
        scaled = [builder.fmul(one, weight) for one in in_a]
        in_b = in_a if diagonal else [at(one) for one in from_b]
        new = [
            fma_of(builder, scaled[i], in_b[k], one)
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
            wide_store(builder, value, place)
        return context.get_dummy_value()

    @intrinsic
    def tile(typingctx, work, a, b, stride, h, depth, sums):
        return types.void(work, *[types.intp] * 6), codegen

    return tile


@intrinsic
def sum_four(typingctx, work, source, target):
    """work[target + k] = sum of the vector at work[source + 8 k], k < 4."""

    def codegen(context, builder, signature, args):
        data = data_pointer(context, builder, signature.args[0], args[0])
        start = builder.gep(data, [args[1]])
        a, b, c, d = (
            wide_load(
                builder, builder.gep(start, [ir.Constant(INT64, LANES * k)])
            ) for k in range(4)
        )

        def folded(a, b, even, odd):
            return builder.fadd(
                shuffled(builder, a, b, even), shuffled(builder, a, b, odd)
            )

        even, odd = (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)
        ab, cd = folded(a, b, even, odd), folded(c, d, even, odd)
        even, odd = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
        halves = folded(ab, cd, even, odd)
        sums = folded(halves, halves, (0, 1, 2, 3), (4, 5, 6, 7))
        wide_store(builder, sums, builder.gep(data, [args[2]]))
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
            data_pointer(context, builder, signature.args[0], args[0]),
            [args[1]],
        )
        out = builder.gep(
            data_pointer(context, builder, signature.args[4], args[4]),
            [args[5]],
        )
        rows = []
        for _ in range(LANES):
            rows.append(wide_load(builder, pointer, scalar))
            pointer = builder.gep(pointer, [args[2]])

        def exchanged(rows, distance, low, high):
            result = list(rows)
            for i in range(LANES):
                if not i & distance:
                    a, b = rows[i], rows[i + distance]
                    result[i] = shuffled(builder, a, b, low)
                    result[i + distance] = shuffled(builder, a, b, high)
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
            wide_store(builder, builder.fmul(row, args[3]), out)
            out = builder.gep(out, [args[6]])
        return context.get_dummy_value()

    if not is_flat(data):
        return None
    signature = types.void(
        data, types.intp, types.intp, float64x8, work, types.intp, types.intp
    )
    return signature, codegen
