"""What is asked of made rows: conditions on columns, constraints on rows, and original types."""
