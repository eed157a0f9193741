"""
Distribution matching on a table
================================

Condensation works on tables, too. Distribution matching optimizes synthetic rows until random
networks give them the same mean embedding as the real rows of their class.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from distillkit import DistributionMatchingDistiller

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

# %%
# Rows of a table are standardized first, because networks expect columns of similar size.

distiller = DistributionMatchingDistiller(budget=5, max_iter=200, random_state=0)
small = distiller.fit(X_train, y_train).distilled_
model = small.fit(LogisticRegression())
print(f"{len(small)} synthetic rows: test accuracy {model.score(X_test, y_test):.3f}")

# %%
# A projection shows the synthetic rows among the real ones.

projection = PCA(n_components=2).fit(X_train)
fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for label, color in enumerate(("C0", "C1", "C2")):
    ax.scatter(
        *projection.transform(X_train[y_train == label]).T, s=14, color=color, alpha=0.35
    )
    ax.scatter(
        *projection.transform(small.X[small.y == label]).T,
        s=110,
        marker="*",
        color=color,
        edgecolors="k",
        linewidths=0.7,
        label=f"class {label}, synthetic",
    )
ax.set(xlabel="first principal component", ylabel="second principal component")
ax.legend()
plt.show()

# %%
# The same rows as a table, back in the units of the data:

small.feature_names = tuple(load_wine().feature_names)
table = small.to_pandas(target="class")
table[list(small.feature_names)] = scaler.inverse_transform(small.X)
print(table.iloc[:, [0, 9, 12, 13]].round(2).head(6).to_string())
