"""
New rows from a GAN
===================

A generator that was trained on a table makes any number of new rows for a class. The distilled
set is the best part of a pool of such rows.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from distillkit import GANSynthesizer

data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(
    data.data, data.target, stratify=data.target, random_state=0
)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

# %%
# A few hundred steps are enough for a table of this size.

gan = GANSynthesizer(budget=20, max_iter=400, random_state=0).fit(X_train, y_train)
model = gan.distilled_.fit(LogisticRegression())
print(f"{len(gan.distilled_)} generated rows: test accuracy {model.score(X_test, y_test):.3f}")

# %%
# ``sample`` makes more rows. Give the labels that the rows should have, or let them follow the
# frequencies of the training rows.

X_new, y_new = gan.sample(300)
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharex=True, sharey=True, layout="constrained")
for ax, rows, labels, title in (
    (axes[0], X_train, y_train, "real rows"),
    (axes[1], X_new, y_new, "generated rows"),
):
    for label, name in enumerate(data.target_names):
        ax.scatter(*rows[labels == label][:, [0, 1]].T, s=12, alpha=0.6, label=name)
    ax.set(title=title, xlabel=data.feature_names[0] + " (standardized)")
axes[0].set_ylabel(data.feature_names[1] + " (standardized)")
axes[0].legend()
plt.show()

# %%
# Look at ``diagnostics_`` before generated rows are used: a generator that collapsed makes rows
# that vary less than real ones. A ratio of variances near 1 is good, for the class that varies
# least, too.

variance = gan.diagnostics_["variance_ratio"]
print(
    f"variance of generated over real rows: {variance['lowest']:.2f} to {variance['highest']:.2f}"
)
print(f"share of distinct rows:               {gan.diagnostics_['unique_ratio']:.2f}")
print(f"rows recognized as their class:       {gan.diagnostics_['recognised']:.2f}")
