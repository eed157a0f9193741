"""Distribution matching: synthetic rows whose embeddings have the distribution of real ones."""
