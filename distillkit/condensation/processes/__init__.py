"""Fits that several processes share, as a process group of torch.distributed."""
