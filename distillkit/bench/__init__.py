"""The bench: it runs every method of a suite under the same limits and makes one leaderboard of the results."""
