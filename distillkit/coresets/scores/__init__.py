"""Coresets that rank rows by a score from trained models: GraNd, EL2N, forgetting, uncertainty."""
