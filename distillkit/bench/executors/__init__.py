"""Engines that run groups of cells; the contract is one call: ``target(groups, run_group, jobs)``."""
