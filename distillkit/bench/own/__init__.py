"""Estimators, distillers and rows of the user's own, which are no part of any plugin."""
