"""Coresets by distances between rows: k-means, k-center, herding, facility location."""
