"""Print the OPENBLAS_CORETYPE that fits this CPU: its best vector width.

    OPENBLAS_CORETYPE=$(python -m tools.run.blas_core_type) benchopt run . ...

SkylakeX where there is AVX-512, Haswell where there is AVX2, else nothing,
which leaves the choice to OpenBLAS.
"""
import sys

import llvmlite.binding as llvm


def core_type(features):
    """The name for a CPU with these features, {"avx2": True, ...}."""
    if features.get("avx512f") and features.get("avx512vl"):
        return "SkylakeX"
    return "Haswell" if features.get("avx2") else ""


if __name__ == "__main__":
    sys.stdout.write(core_type(llvm.get_host_cpu_features()) + "\n")
