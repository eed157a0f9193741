"""Controls that every method is compared with: random rows, class means, the whole set."""
