"""Fast convolutions, normalization and pooling on processors, compiled with numba."""
