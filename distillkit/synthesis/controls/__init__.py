"""Simple generators that every other one is compared with; they need no torch."""
