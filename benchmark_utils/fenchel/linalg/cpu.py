"""What the CPU that numba compiles for has, by what LLVM makes of it.

CPUs and their features have many names; the assembly of a few lines says
what a kernel can count on, also where NUMBA_CPU_NAME and NUMBA_CPU_FEATURES
name another CPU than this one.
"""
from functools import cache

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config
from numba.core.codegen import get_host_cpu_features

_SINGLE, _HALF_BITS = ir.FloatType(), ir.IntType(16)


def _target():
    """Name and features, chosen as numba does."""
    features = config.CPU_FEATURES
    if features is None:
        features = get_host_cpu_features()
    return config.CPU_NAME or llvm.get_host_cpu_name(), features


def _assembly(cpu, features, result, arguments, body):
    """The assembly of one function, whose value `body` computes."""
    # numba does it too, before it compiles
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu, features=features
    )
    module = ir.Module()
    function = ir.Function(
        module, ir.FunctionType(result, arguments), "sample"
    )
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(body(builder, function.args))
    return machine.emit_assembly(llvm.parse_assembly(str(module)))


def converts_halves(cpu, features):
    """Whether halves are converted by instructions (x86 since 2012, F16C).

    Elsewhere LLVM would call a function for every entry.
    """
    assembly = _assembly(
        cpu, features, _SINGLE, [_HALF_BITS],
        lambda builder, args: builder.fpext(
            builder.bitcast(args[0], ir.HalfType()), _SINGLE
        ),
    )
    return "h2f" not in assembly and "extendhfsf2" not in assembly


def register_bytes(cpu, features):
    """Bytes of a vector register: 64 (AVX-512), 32 (AVX) or 16.

    Of those of 64 bytes there are 32, else 16 are counted on.
    """
    vector = ir.VectorType(_SINGLE, 16)
    assembly = _assembly(
        cpu, features, vector, [vector.as_pointer()] * 2,
        lambda builder, args: builder.fadd(*map(builder.load, args)),
    )
    return 64 if "zmm" in assembly else 32 if "ymm" in assembly else 16


@cache
def has_halves():
    """`converts_halves` of the CPU that numba compiles for."""
    return converts_halves(*_target())


@cache
def vector_bytes():
    """`register_bytes` of the CPU that numba compiles for."""
    return register_bytes(*_target())
