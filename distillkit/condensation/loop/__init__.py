"""The loop around every iterative condenser: the synthetic rows, checkpoints, validation and memory."""
