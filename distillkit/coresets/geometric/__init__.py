"""Coresets based on distances between rows: k-means, k-center, herding, facility location."""
