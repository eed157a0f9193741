"""Coresets by a score of each row that trained models give: GraNd, EL2N, forgetting, uncertainty."""
