"""scikit-learn estimators around networks."""
