"""Runtime support for networks: devices, threads, memory, seeds and compiled loops."""
