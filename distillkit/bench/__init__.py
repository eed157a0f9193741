"""The bench: from a suite to one leaderboard. Methods, data and models are reached by registry name only."""
