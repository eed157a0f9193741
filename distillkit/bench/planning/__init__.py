"""Parses suites, lists their cells with content-hash keys, and forecasts the run time."""
