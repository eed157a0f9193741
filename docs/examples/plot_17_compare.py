"""
Compare methods on your own rows
================================

One call answers which small set is best for a model of your own. It distils the rows by each
method, trains the model on each small set, tests it on rows that no method has seen, and says
what is more than chance.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from distillkit import HerdingCoreset, compare

X, y = load_wine(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression())

# %%
# Methods are registered names or distillers, evaluators are names or models. The whole set,
# random rows, k-means and class means stand beside them. Two splits with one seed each are
# few; the default is ten splits, which give narrower intervals.

board = compare(
    X,
    y,
    methods={"k-center": "kcenter", "herding": HerdingCoreset()},
    budgets=[1, 5],
    evaluators={"my model": model},
    metrics=["accuracy", "rows"],
    splits=2,
    seeds=1,
    name="wine",
    n_jobs=2,
    verbose=False,
)
print(board)

# %%
# A notebook shows the leaderboard as a table. ``plot`` draws the scores with their intervals.

board.plot()
plt.show()

# %%
# ``frame`` is a table like any other.

columns = ["method", "budget", "rows", "mean", "ci_low", "ci_high", "vs_random"]
print(board.frame[columns].round(3).to_string(index=False))
