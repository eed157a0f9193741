"""Generators of tables that draw one column after another from the leaves of trees."""
