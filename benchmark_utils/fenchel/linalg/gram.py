"""X' diag(h) X by a register-blocked micro-kernel, in float32 or float64.

Rows are scaled by sqrt(h), cast and compacted while they are packed into a
panel of `PANEL` rows that stays in the second-level cache; the kernel then
adds panel' panel to the upper triangle of C, tile by tile: 4 or 8 rows times
one to three vectors of C are held in registers over the whole panel. Only
tiles that meet the upper triangle are computed, half the work of `X.T @ X`.

The kernel is LLVM vector code made by an intrinsic, for the registers that the
CPU has: 8 rows where they are 32 of 64 bytes, 4 where they are 16. With 8 rows
of 64 bytes on a CPU with AVX2 most sums go through memory: 2500 x 500 in
float32 21 instead of 7.6 ms. `gram_reference` is the same in plain NumPy,
the oracle of its tests.
"""
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ..compilation import njit
from .cpu import vector_bytes
from .half_precision import widen
from .simd import address

LANE_BYTES = vector_bytes()
_TILE = 8 if LANE_BYTES == 64 else 4
_INT64, _INT32 = ir.IntType(64), ir.IntType(32)
# What a tile reads of a panel stays in the first-level cache: with narrow
# tiles 64 rows, 2000 x 200 in float32 1.0 instead of 1.5 ms with 256
PANEL = 256 if LANE_BYTES == 64 else 64


def padded(n_columns, dtype):
    """Round `n_columns` up to whole vectors of `dtype`."""
    lanes = LANE_BYTES // np.dtype(dtype).itemsize
    return -(-n_columns // lanes) * lanes


class _Vectors(NamedTuple):
    """What one kind of vectors is in LLVM, and how it is moved."""

    scalar: ir.Type
    lanes: int
    alignment: int

    @property
    def vector(self):
        return ir.VectorType(self.scalar, self.lanes)

    def load(self, builder, place):
        loaded = builder.load(
            builder.bitcast(place, self.vector.as_pointer())
        )
        loaded.align = self.alignment
        return loaded

    def add_to(self, builder, place, value):
        stored = builder.store(
            builder.fadd(self.load(builder, place), value),
            builder.bitcast(place, self.vector.as_pointer()),
        )
        stored.align = self.alignment

    def broadcast(self, builder, place):
        none = ir.Constant(self.vector, ir.Undefined)
        single = builder.insert_element(
            none, builder.load(place), ir.Constant(_INT32, 0)
        )
        zeros = ir.Constant(
            ir.VectorType(_INT32, self.lanes), [0] * self.lanes
        )
        return builder.shuffle_vector(single, none, zeros)

    def fma(self, builder):
        suffix = "f32" if self.alignment == 4 else "f64"
        name = f"llvm.fma.v{self.lanes}{suffix}"
        return builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(self.vector, [self.vector] * 3),
            name,
        )


def _make_kernel(kind, count):
    """Make an intrinsic: a tile of C += A' B over `depth` rows of a panel.

    A is `_TILE` columns of the panel from `row` on, B lanes * count from
    `column` on; the tile of C begins at [row, column].
    """

    def at(builder, base, offset):
        if isinstance(offset, int):
            offset = ir.Constant(_INT64, offset)
        return builder.gep(base, [offset])

    def codegen(context, builder, signature, args):
        panel, C, width, depth, row, column = args
        pointer, fma = kind.scalar.as_pointer(), kind.fma(builder)
        lanes = kind.lanes * count
        before_last = builder.mul(
            builder.sub(depth, ir.Constant(_INT64, 1)), width
        )

        def place(which, first, rows, size):
            return address(
                context, builder, signature.args[which], args[which], first,
                builder.add(rows, ir.Constant(_INT64, size)),
            )

        start_a = place(0, row, before_last, _TILE)
        start_b = place(0, column, before_last, lanes)
        start_c = place(
            1, builder.add(builder.mul(row, width), column),
            builder.mul(width, ir.Constant(_INT64, _TILE - 1)), lanes,
        )
        offsets = [kind.lanes * v for v in range(count)]
        before = builder.block
        loop = builder.append_basic_block("gram.loop")
        done = builder.append_basic_block("gram.done")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(_INT64)
        row_a, row_b = builder.phi(pointer), builder.phi(pointer)
        sums = [
            [builder.phi(kind.vector) for _ in offsets] for _ in range(_TILE)
        ]
        columns = [
            kind.load(builder, at(builder, row_b, k)) for k in offsets
        ]
        added = []
        for i in range(_TILE):
            factor = kind.broadcast(builder, at(builder, row_a, i))
            added.append([
                builder.call(fma, [factor, column, total])
                for column, total in zip(columns, sums[i], strict=True)
            ])
        following = builder.add(index, ir.Constant(_INT64, 1))
        next_a, next_b = (
            at(builder, base, width) for base in (row_a, row_b)
        )
        builder.cbranch(
            builder.icmp_signed("<", following, depth), loop, done
        )
        zero = ir.Constant(kind.vector, [0.0] * kind.lanes)
        for phi, first, then in [
            (index, ir.Constant(_INT64, 0), following),
            (row_a, start_a, next_a),
            (row_b, start_b, next_b),
            *[
                (sums[i][v], zero, added[i][v])
                for i in range(_TILE) for v in range(count)
            ],
        ]:
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        builder.position_at_end(done)
        for i in range(_TILE):
            first = at(
                builder, start_c, builder.mul(width, ir.Constant(_INT64, i))
            )
            for k, total in zip(offsets, added[i], strict=True):
                kind.add_to(builder, at(builder, first, k), total)
        return context.get_dummy_value()

    @intrinsic
    def kernel(typingctx, panel, C, width, depth, row, column):
        return types.void(panel, C, *[types.intp] * 4), codegen

    return kernel


_SINGLE = _Vectors(ir.FloatType(), LANE_BYTES // 4, 4)
_DOUBLE = _Vectors(ir.DoubleType(), LANE_BYTES // 8, 8)
_SINGLES = [_make_kernel(_SINGLE, k) for k in (1, 2, 3)]
_DOUBLES = [_make_kernel(_DOUBLE, k) for k in (1, 2, 3)]


def _add_tiles(panel, C, depth, vectors, column):
    """Add the tiles of some vectors of columns, down to the diagonal."""


@overload(_add_tiles)
def _tiles_of(panel, C, depth, vectors, column):
    single = C.dtype == types.float32
    one, two, three = _SINGLES if single else _DOUBLES
    lanes = LANE_BYTES // (4 if single else 8)

    def add(panel, C, depth, vectors, column):
        width = C.shape[1]
        for row in range(0, min(width, column + lanes * vectors), _TILE):
            if vectors == 3:
                three(panel, C, width, depth, row, column)
            elif vectors == 2:
                two(panel, C, width, depth, row, column)
            else:
                one(panel, C, width, depth, row, column)

    return add


@njit
def add_panel(panel, depth, C):
    """Add panel[:depth]' panel[:depth] to the upper tiles of C."""
    lanes = LANE_BYTES // C.itemsize
    left = C.shape[1] // lanes
    column = 0
    while left > 0:
        # 3 + 2 vectors rather than 3 + 1 + 1
        vectors = 3 if left >= 5 or left == 3 else min(left, 2)
        _add_tiles(panel, C, depth, vectors, column)
        column += lanes * vectors
        left -= vectors


@njit
def weighted_gram(X, p, roots, rows, count, intercept, panel, C):
    """Form the upper triangle of [X 1]' diag(roots^2) [X 1] over some rows.

    Parameters
    ----------
    X : array of shape (n_samples, p), C order, float32, float64 or uint16
        Halves in uint16.
    p : int
    roots : array of shape (count,), float64
        Square roots of the weights of `rows`.
    rows : array of shape (>= count,), integer
    count : int
    intercept : bool
        Whether a column of ones follows the features.
    panel : array of shape (PANEL, width), zero right of the columns
    C : array of shape (width, width), written
        `panel` and C are both float32 or both float64; `width` is `padded`
        and a multiple of 8.
    """
    for i in range(C.shape[0]):
        for j in range(C.shape[1]):
            C[i, j] = 0
    # no constant, for which numba would compile `add_panel` once more
    depth = np.int64(0)
    for k in range(count):
        root = roots[k]
        source = X[rows[k]]
        packed = panel[depth]
        for j in range(p):
            packed[j] = widen(source[j]) * root
        if intercept:
            packed[p] = root
        depth += 1
        if depth == panel.shape[0]:
            add_panel(panel, depth, C)
            depth = np.int64(0)
    if depth > 0:
        add_panel(panel, depth, C)


def gram_reference(X, roots, rows, count, intercept):
    """Form the whole matrix that `weighted_gram` fills, by NumPy."""
    A = np.asarray(X, dtype=np.float64)[rows[:count]]
    if intercept:
        A = np.hstack([A, np.ones((count, 1))])
    A = A * np.asarray(roots)[:count, None]
    return A.T @ A
