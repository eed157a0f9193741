"""Runs all methods of a suite under the same limits and compares them on one leaderboard."""
