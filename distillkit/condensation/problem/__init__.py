"""The training rows as condensers see them, and the rows that they start from."""
