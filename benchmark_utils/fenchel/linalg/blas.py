"""Call BLAS and LAPACK on rows of arrays that are there.

`np.dot` and `np.linalg.cholesky` allocate what they return and check what is
known: 0.5 and 0.4 s of compiling. The functions below are what numba calls for
these.
"""
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.linalg import ensure_blas, ensure_lapack, get_blas_kind

from .simd import address

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_POINTER = _BYTE.as_pointer()


def _call(builder, name, *arguments):
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(_INT32, [one.type for one in arguments]), name,
    )
    return builder.call(function, arguments)


def _letter(character):
    return ir.Constant(_BYTE, ord(character))


def _product(transposed):
    """Make an intrinsic: the product of some rows of A with a vector."""

    def codegen(context, builder, signature, args):
        ensure_blas()
        A, first, last, x, out = args
        rows = builder.sub(last, first)
        parts = cgutils.create_struct_proxy(signature.args[0])(
            context, builder, value=A
        )
        p = cgutils.unpack_tuple(builder, parts.shape)[1]

        def at(which, start, count):
            place = address(
                context, builder, signature.args[which], args[which], start,
                count,
            )
            return builder.bitcast(place, _POINTER)

        def number(value):
            scalar = context.get_value_type(signature.args[0].dtype)
            slot = cgutils.alloca_once_value(
                builder, ir.Constant(scalar, value)
            )
            return builder.bitcast(slot, _POINTER)

        zero = ir.Constant(_INT64, 0)
        of_rows, of_columns = (first, rows), (zero, p)
        x, out = (
            at(3, *of_rows if transposed else of_columns),
            at(4, *of_columns if transposed else of_rows),
        )
        # rows in C order are columns to BLAS
        _call(
            builder, "numba_xxgemv",
            _letter(get_blas_kind(signature.args[0].dtype)),
            _letter("n" if transposed else "t"), p, rows, number(1.0),
            at(0, builder.mul(first, p), builder.mul(rows, p)), p, x,
            number(0.0), out,
        )
        return context.get_dummy_value()

    @intrinsic
    def product(typingctx, A, first, last, x, out):
        if not A.dtype == x.dtype == out.dtype:
            return None
        return types.void(A, types.intp, types.intp, x, out), codegen

    return product


#: (A, first, last, v, out): out[i] = A[i] @ v for the rows of A from `first`
#: to `last`; all of one type, in C order
rows_times = _product(False)
#: (A, first, last, c, out): out = the sum of c[i] A[i] over these rows
times_rows = _product(True)


@intrinsic
def factor_upper(typingctx, C, q):
    """Factor U'U in place the upper triangle of C's first q columns.

    Returns 0 unless the matrix is not positive definite.
    """

    def codegen(context, builder, signature, args):
        ensure_lapack()
        parts = cgutils.create_struct_proxy(signature.args[0])(
            context, builder, value=args[0]
        )
        rows, width = cgutils.unpack_tuple(builder, parts.shape)
        q = args[1]
        one = ir.Constant(_INT64, 1)
        start = address(
            context, builder, signature.args[0], args[0],
            ir.Constant(_INT64, 0),
            builder.add(q, builder.mul(builder.sub(q, one), width)),
        )
        # the upper triangle in C order is the lower one to LAPACK
        return _call(
            builder, "numba_xxpotrf",
            _letter(get_blas_kind(signature.args[0].dtype)), _letter("L"), q,
            builder.bitcast(start, _POINTER), width,
        )

    return types.int32(C, types.intp), codegen
