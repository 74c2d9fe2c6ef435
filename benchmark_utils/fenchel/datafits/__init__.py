"""The logistic functions of margins: scalar, array, SIMD."""
