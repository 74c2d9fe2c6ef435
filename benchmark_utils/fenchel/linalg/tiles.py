"""Larger pieces of vector code: tiles of a Hessian, transposed blocks.

Intrinsics on the vectors of `simd`, for arrays of one dimension; offsets and
strides count their entries.
"""
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .cpu import vector_bytes
from .simd import (
    DOUBLE,
    INT64,
    LANES,
    SINGLE,
    address,
    float64x8,
    fma_of,
    is_flat,
    plain_load,
    shuffled,
    wide_load,
    wide_store,
)

# Lanes of the sums of a tile, and columns of a transposed block: all eight
# where a register holds them, of which there are 32 then; else four, and 16
# registers are counted on. A Hessian of 128 x 20 on AVX2: 1.4 instead of 3.8
# us with eight, which go through memory
SUM_LANES = LANES if vector_bytes() == 64 else 4
# The same of sums in float32, and samples of a round
SINGLE_SUM_LANES = 2 * SUM_LANES
SINGLE_ROUND = max(LANES, SINGLE_SUM_LANES)


def _groups(rows, columns, diagonal, parts):
    """The entries of a tile in groups whose sums fit the registers.

    Each comes with the number of sums for an entry: with fewer than eight in
    a group every addition would wait for the last one. The samples of a round
    come in `parts`, for as many sums.
    """
    entries = [
        (i, k) for k in range(columns) for i in range(rows)
        if k <= i or not diagonal
    ]
    if SUM_LANES == LANES:
        return [(entries, 1)]
    if len(entries) <= 4:
        return [(entries, parts)]
    if diagonal and rows == 4:
        # ten sums leave too few registers for the columns: 200 x 4 in float32
        # in 66 instead of 112 ns. Columns stay together
        return [
            ([one for one in entries if one[1] in columns], 1)
            for columns in ((0, 3), (1, 2))
        ] if parts == 1 else [
            ([one for one in entries if one[0] < 3], 1),
            ([one for one in entries if one[0] == 3], parts),
        ]
    if diagonal or rows < 3:
        return [(entries, 1)]
    half = len(entries) // 2
    return [(entries[:half], 1), (entries[half:], 1)]


def _folded(builder, vectors):
    """The sums of four vectors as one vector."""
    lanes = vectors[0].type.count

    def folded(a, b, distance):
        low, high = _exchange(distance, lanes)
        return builder.fadd(
            shuffled(builder, a, b, low), shuffled(builder, a, b, high)
        )

    a, b, c, d = vectors
    sums = folded(folded(a, b, 1), folded(c, d, 1), 2)
    while lanes > 4:
        lanes //= 2
        sums = builder.fadd(
            shuffled(builder, sums, sums, range(lanes)),
            shuffled(builder, sums, sums, range(lanes, 2 * lanes)),
        )
    if sums.type.element == SINGLE:
        sums = builder.fpext(sums, ir.VectorType(DOUBLE, 4))
    return sums


def make_tile(diagonal, single=False):
    """An intrinsic for a tile of A diag(h) B', whose sums are in registers.

    tile(work, a, b, stride, h, depth, out, rows, width): row i < rows <= 4 of
    A begins at work[a + i stride], row k < 4 of B at work[b + k stride], h at
    work[h]; all have `depth` vectors of `LANES`. Entry k of B with the four
    rows of A is added to the four at work[out + k width]; what belongs to no
    row of A, and of a diagonal tile, where B is A, i < k, is not defined.

    A `single` one is in float32: offsets and the stride count float32 in
    `work`, but for `out` and `width`, and `depth` is in `SINGLE_ROUND`.
    """
    scalar, lanes, step = DOUBLE, SUM_LANES, LANES
    if single:
        scalar, lanes, step = SINGLE, SINGLE_SUM_LANES, SINGLE_ROUND
    vector = ir.VectorType(scalar, lanes)

    def codegen(context, builder, signature, args):
        def at(index, count, kind):
            return address(
                context, builder, signature.args[0], args[0], index, count,
                kind,
            )

        # nothing of it is a loop over rows: each number has code of its own
        for rows in range(1, 5):
            wanted = builder.icmp_signed(
                "==", args[7], ir.Constant(INT64, rows)
            )
            with builder.if_then(wanted):
                add_tile(builder, at, rows, *args[1:7], args[8])
        return context.get_dummy_value()

    def constant(value):
        return ir.Constant(INT64, value)

    def add_tile(builder, at, rows, a, b, stride, h, depth, out, width):
        """Emit the code for so many rows."""
        columns = rows if diagonal else 4
        samples = builder.mul(depth, constant(step))

        def starts(first, count):
            return [
                at(
                    builder.add(first, builder.mul(stride, constant(i))),
                    samples, scalar,
                ) for i in range(count)
            ]

        from_a, from_h = starts(a, rows), at(h, samples, scalar)
        from_b = from_a if diagonal else starts(b, columns)
        for entries, ways in _groups(rows, columns, diagonal, step // lanes):
            sums = add_group(
                builder, entries, ways, from_a, from_b, from_h, depth
            )
            for k in sorted({k for _, k in entries}):
                place = builder.add(out, builder.mul(width, constant(k)))
                place = at(place, 4, DOUBLE)
                four = _folded(
                    builder, [sums.get((i, k), zero) for i in range(4)]
                )
                old = plain_load(builder, place, four.type)
                wide_store(builder, builder.fadd(old, four), place)

    zero = ir.Constant(vector, [0.0] * lanes)

    def add_group(builder, entries, ways, from_a, from_b, from_h, depth):
        """Emit one loop over the samples; return the sums of the entries."""
        old = [zero] * (len(entries) * ways)
        before = builder.block
        loop = builder.append_basic_block("tile.loop")
        done = builder.append_basic_block("tile.done")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INT64)
        held = [builder.phi(vector) for _ in old]
        new = list(held)
        offset = builder.mul(index, constant(step))
        its_rows = sorted({i for i, _ in entries})
        its_columns = sorted({k for _, k in entries})
        for part in range(step // lanes):
            if part:
                offset = builder.add(offset, constant(lanes))

            def at(start):
                return plain_load(
                    builder, builder.gep(start, [offset]), vector
                )

            in_a = {i: at(from_a[i]) for i in its_rows}
            weight = at(from_h)
            # the fewer of the two are scaled
            scaled = in_a
            if len(its_rows) <= len(its_columns):
                scaled = {
                    i: builder.fmul(one, weight) for i, one in in_a.items()
                }
            in_b = {
                k: in_a[k] if diagonal and k in in_a else at(from_b[k])
                for k in its_columns
            }
            if scaled is in_a:
                in_b = {
                    k: builder.fmul(one, weight) for k, one in in_b.items()
                }
            first = part % ways * len(entries)
            for place, (i, k) in enumerate(entries, first):
                new[place] = fma_of(builder, scaled[i], in_b[k], new[place])
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
        sums = new[:len(entries)]
        for number in range(len(entries), len(new)):
            one = number % len(entries)
            sums[one] = builder.fadd(sums[one], new[number])
        return dict(zip(entries, sums, strict=True))

    @intrinsic
    def tile(typingctx, work, a, b, stride, h, depth, out, rows, width):
        return types.void(work, *[types.intp] * 8), codegen

    return tile


@intrinsic
def narrow(typingctx, work, source, target):
    """Eight float64 at work[source] as float32.

    `target` counts float32 in `work`.
    """

    def codegen(context, builder, signature, args):
        work, source, target = args
        kind = signature.args[0]
        one = wide_load(
            builder, address(context, builder, kind, work, source, LANES)
        )
        wide_store(
            builder, builder.fptrunc(one, ir.VectorType(SINGLE, LANES)),
            address(context, builder, kind, work, target, LANES, SINGLE), 4,
        )
        return context.get_dummy_value()

    return types.void(work, types.intp, types.intp), codegen


def _exchange(distance, lanes):
    """Lanes of two vectors, such that entries `distance` apart meet."""
    low = [
        i if not i & distance else i - distance + lanes for i in range(lanes)
    ]
    return low, [i + distance for i in low]


def _transposed(builder, rows):
    """The columns of a square block, whose size is a power of two."""
    size = len(rows)
    distance = 1
    while distance < size:
        low, high = _exchange(distance, size)
        result = list(rows)
        for i in range(size):
            if not i & distance:
                a, b = rows[i], rows[i + distance]
                result[i] = shuffled(builder, a, b, low)
                result[i + distance] = shuffled(builder, a, b, high)
        rows = result
        distance *= 2
    return rows


@intrinsic
def transpose(typingctx, data, source, stride, factors, work, target, pitch):
    """Eight rows of `SUM_LANES` entries become as many columns, scaled.

    work[target + j pitch + i] = data[source + i stride + j] factors[i], for
    i < 8 and j < SUM_LANES; data may be float32.
    """

    def codegen(context, builder, signature, args):
        data, source, stride, factors, work, target, pitch = args
        scalar = context.get_value_type(signature.args[0].dtype)

        def at(which, array, first, step, k, count):
            index = builder.add(
                first, builder.mul(step, ir.Constant(INT64, k))
            )
            return address(
                context, builder, signature.args[which], array, index, count
            )

        for begin in range(0, LANES, SUM_LANES):
            lanes = range(begin, begin + SUM_LANES)
            rows = [
                wide_load(
                    builder, at(0, data, source, stride, i, SUM_LANES),
                    scalar, SUM_LANES,
                ) for i in lanes
            ]
            labels, out = factors, target
            if SUM_LANES < LANES:
                labels = shuffled(builder, labels, labels, lanes)
                out = builder.add(target, ir.Constant(INT64, begin))
            for j, row in enumerate(_transposed(builder, rows)):
                wide_store(
                    builder, builder.fmul(row, labels),
                    at(4, work, out, pitch, j, SUM_LANES),
                )
        return context.get_dummy_value()

    if not is_flat(data):
        return None
    signature = types.void(
        data, types.intp, types.intp, float64x8, work, types.intp, types.intp
    )
    return signature, codegen
