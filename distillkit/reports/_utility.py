"""What a report says of the use of a small set: a quick model trained on it, and on all rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

__all__ = ["SCORE_COLUMNS", "Utility"]

SCORE_COLUMNS = ("small", "small_error", "whole", "whole_error", "random", "random_sd")


@dataclass(frozen=True, eq=False, kw_only=True)
class Utility:
    """Scores of one model, trained on the small set, on all real rows and on random real rows.

    Without scores, the note says why.

    Parameters
    ----------
    judge : str
        The model.
    scores : DataFrame
        One row for each of "accuracy" (share of the test rows whose label is right) and "balanced
        accuracy" (its mean over the classes), or for "R2" (share of the variance that is
        explained). Its columns are ``small`` and ``whole``, the scores of the model trained on the
        small set and on all real rows, without those that it is tested on; ``small_error`` and
        ``whole_error``, their standard errors by the number of test rows; and ``random`` and
        ``random_sd``, mean and standard deviation of the scores for sets of as many random real
        rows of each class, with the same weights, NaN without such sets.
    n_train, n_test : int
        Real rows that the model for ``whole`` is trained on, and test rows.
    is_held_out : bool
        Whether the test rows were given, so that the method has not seen them.
    note : str
        How the scores were measured, in words.
    """

    judge: str = ""
    scores: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(SCORE_COLUMNS)))
    n_train: int = 0
    n_test: int = 0
    is_held_out: bool = False
    note: str = ""

    def __str__(self) -> str:
        if self.scores.empty:
            return f"Utility: {self.note}"
        lines = [f"Utility ({self.judge}, tested on {self.n_test:,} rows): {self.note}"]
        for metric, row in self.scores.iterrows():
            texts = [
                f"{row['small']:.3f} ± {row['small_error']:.3f} trained on the small set",
                f"{row['whole']:.3f} ± {row['whole_error']:.3f} on {self.n_train:,} real rows",
            ]
            if pd.notna(row["random"]):
                texts.append(f"{row['random']:.3f} ± {row['random_sd']:.3f} on as many random rows")
            lines.append(f"  {metric}: {', '.join(texts)}")
        return "\n".join(lines)
