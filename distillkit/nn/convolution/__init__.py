"""Fast convolution, normalization and pooling on the CPU, in part compiled with numba."""
