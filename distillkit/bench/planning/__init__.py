"""Suites and what they ask for: parsing, the list of cells, their keys and how long they will take."""
