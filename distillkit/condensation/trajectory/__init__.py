"""Trajectory matching: synthetic rows on which a network's weights follow those of experts."""
