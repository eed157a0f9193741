"""Control methods that every coreset is compared with: random rows, class means, all rows."""
