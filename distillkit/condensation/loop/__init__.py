"""The loop that all iterative condensers share, with checkpoints, memory limits and validation."""
