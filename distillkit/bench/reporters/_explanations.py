"""The words with which all reports explain the protocol, the marks and the columns."""

from __future__ import annotations

from distillkit.bench.leaderboard._compare import CORRECTION

__all__ = ["COLUMN_HELP", "MARKS", "PROTOCOL", "RANKS"]

MARKS = {
    "*": "significantly better than the control: the random subset, or for students the student alone "
    f"(paired test on the same test rows, p < 0.05 after {CORRECTION})",
    "!": "significantly worse than the control (the same test)",
    "~": "some cells have no value: the method ranks behind complete ones and is not tested, and missing values are "
    "not imputed",
    "‡": "settings of this method were chosen on the test rows of this dataset: it has no rank and is not tested",
    "°": "the method involves no randomness: it is distilled once for each split",
    "†": "cells ran in parallel: their times are not comparable to those of cells that ran alone",
}
"""The marks of entries, with their meanings."""

RANKS = (
    "#1-4 is the 95 % interval of the rank of a method among those of its column; methods whose interval starts with "
    "1 are tied with the best and set in bold. (3) is a place by mean alone, where there is no interval. ± is half "
    "of the 95 % interval of the mean, or its longer side where the interval ends at a bound of the metric."
)
"""How ranks and intervals are to be read."""

PROTOCOL = (
    "Methods have access to the training rows only. An evaluator is trained on the distilled rows and predicts the "
    "test rows of its split for the final state of training, not for the best one. Values are averaged over the "
    "evaluation seeds of each distilled set, and over the sets of each split; means are over splits. "
    "All 95 % intervals include the sampling of test rows. With several splits into training and test rows, they are "
    "Student's t intervals with the variance s²/J + (n_test/n_train) (s² - w²) for J splits, where s is the standard "
    "deviation between splits and w² the variance that seeds add to it; with one seed a split, w is taken as zero, "
    "which gives the variance of Nadeau and Bengio. With one "
    "test part, their standard error is that of a crossed bootstrap over distillation seeds and test rows. No standard "
    "error is smaller than what one test row contributes. Differences from the control are tested in the same scheme, "
    "paired by splits or by seeds and test rows; methods with a single seed on a single test part are not tested "
    f"unless they involve no randomness. The p-values are corrected by {CORRECTION}, which limits the "
    "probability of any false verdict on the page to 5 %. Rank intervals follow from paired comparisons with all other "
    "methods of the column, by a bootstrap that all methods share. Methods are ranked among those with the same "
    "dataset, evaluator, kind of labels and budget; hard and soft labels are never mixed. References of fixed size, "
    "such as the whole set and the class means, are shown with every budget and have no rank. Methods that reduce a "
    "model instead of rows are trained on all training rows, and their students predict the test rows themselves. They "
    "are compared only with each other: the student alone, trained without a teacher, is their control, and the "
    "teacher is their reference."
)
"""The protocol of all comparisons, as reports explain it."""

COLUMN_HELP = {
    "rank": "Place by mean among the methods with the same dataset, evaluator, kind of labels and budget; "
    "equal means share a place.",
    "ranks": "95 % interval of the rank, from paired comparisons with all other methods.",
    "tied_with_best": "Whether the interval of the rank includes the first place.",
    "mean": "Mean of the primary metric over splits, or over distillation seeds, with its 95 % interval.",
    "interval_from": "What the interval covers: splits, or the sampling of test rows and seeds.",
    "n": "Number of distilled sets with a value.",
    "n_splits": "Number of splits into training and test rows with a value; empty for datasets with a test part.",
    "std": "Standard deviation between distilled sets, after averaging over evaluation seeds.",
    "std_evaluation": "Standard deviation between evaluation seeds, pooled over the distilled sets.",
    "done": "Number of cells with a value, and number of planned cells.",
    "deterministic": "Whether the method gives the same set for every seed.",
    "p_vs_random": "Two-sided p-value of the paired test against the control (the random subset, or for students "
    f"the student alone), corrected by {CORRECTION}; missing for incomplete methods.",
    "gap_recovered": "Share of the gap between the teacher and the student alone that a taught student recovers: 0 is "
    "the student alone, 1 the teacher. Empty where the gap is below its noise; the students have no rank then.",
    "gap_low": "Lower end of the 95 % interval of the recovered share (Fieller's, for a ratio).",
    "gap_high": "Upper end of the 95 % interval of the recovered share.",
    "gap_to_whole": "Mean minus the mean of the same evaluator trained on the whole training set.",
    "privacy": "Most severe verdict of the privacy panel over the distilled sets.",
    "exposes_originals": "Whether the method publishes training rows as they are.",
    "starts_from_real": "Whether the method starts from training rows and changes them.",
    "agreement": "Fraction of the test rows for which student and teacher predict the same class; in regression, R2 "
    "with the predictions of the teacher as the truth.",
    "parameters": "Number of parameters of the student; for trees, number of nodes.",
    "parameter-compression": "Number of parameters of the teacher divided by that of the student.",
    "latency-ratio": "CPU seconds of the teacher divided by those of the student, for predicting the same rows "
    "(at most 256), on one thread.",
    "latency-ratio-single": "The same for predicting a single row.",
    "rows": "Number of rows of the distilled set; students are trained on all training rows.",
    "bytes": "Size of the distilled set in bytes: rows (picked ones as the data are stored, made ones as numbers), "
    "labels or soft labels, weights and preprocessing.",
    "compression-rows": "Number of training rows divided by number of distilled rows.",
    "compression-bytes": "Bytes of the training set divided by bytes of the distilled set.",
    "seconds-distil": "Seconds of the distillation; for students, of training the teacher and of its predictions.",
    "seconds-train": "Seconds of training the evaluator on the distilled set, or of training the student.",
    "training-time-reduction": "CPU seconds of training on the whole set divided by those of training on the distilled "
    "set: medians of at least three fits; empty where fits of the same work disagree by more than a factor of 1.3.",
    "training-step-reduction": "Optimizer steps of training on the whole set divided by those on the distilled set.",
    "peak_mb": "Largest peak memory of a cell, in MB.",
    "peak_mb_distil": "Largest peak memory of the process that distils, in MB.",
    "peak_mb_evaluate": "Largest peak memory of the process that trains and predicts, in MB.",
    "stopped_by": "What ended an iterative method: the number of steps, the time limit, or convergence.",
}
"""Explanations of the columns of the table."""
