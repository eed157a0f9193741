"""
Grid search over a distiller
============================

``Distilled`` joins a distiller and a model into one estimator, so the tools of scikit-learn can
tune both together.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from distillkit import Distilled, KMeansCoreset

X, y = load_digits(return_X_y=True)
X = X / 16

# %%
# Parameters of the two parts are reached by ``distiller__`` and ``estimator__``. In each fold
# the distiller sees only the training rows of the fold.

model = Distilled(KMeansCoreset(random_state=0), LogisticRegression(max_iter=500))
search = GridSearchCV(
    model,
    {"distiller__budget": [1, 3, 10], "estimator__C": [0.01, 0.1, 1.0, 10.0]},
    cv=3,
).fit(X, y)
print("best:", search.best_params_)

# %%
# The strength of the regularization matters as much as the number of rows.

table = pd.DataFrame(search.cv_results_).pivot_table(
    index="param_distiller__budget", columns="param_estimator__C", values="mean_test_score"
)
fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
image = ax.imshow(table, cmap="viridis", aspect="auto")
ax.set_xticks(range(table.shape[1]), table.columns)
ax.set_yticks(range(table.shape[0]), table.index)
ax.set(xlabel="C of the logistic regression", ylabel="rows per class")
middle = (table.to_numpy().min() + table.to_numpy().max()) / 2
for (i, j), score in [((i, j), table.iloc[i, j]) for i in range(3) for j in range(4)]:
    ax.text(
        j, i, f"{score:.3f}", ha="center", va="center", color="w" if score < middle else "k"
    )
fig.colorbar(image, label="mean accuracy of 3 folds")
plt.show()
