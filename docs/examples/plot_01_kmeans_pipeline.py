"""
A coreset inside a pipeline
===========================

A distiller is a step of a pipeline. It replaces the training rows by a small weighted set when
the pipeline is fitted, and lets every row pass when the pipeline predicts.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from distillkit import KMeansCoreset, make_pipeline, plot_rows

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# The pipeline trains the model on ten rows per class: the centroids of k-means in each class,
# weighted by the number of training rows that each centroid stands for.

coreset = KMeansCoreset(budget=10, random_state=0)
pipeline = make_pipeline(StandardScaler(), coreset, LogisticRegression(max_iter=1000))
pipeline.fit(X_train, y_train)

whole = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X_train, y_train)

print(f"trained on {len(X_train)} rows:  accuracy {whole.score(X_test, y_test):.3f}")
small = pipeline.named_steps["kmeanscoreset"].distilled_
print(f"trained on {len(small)} rows:   accuracy {pipeline.score(X_test, y_test):.3f}")

# %%
# The distilled set is kept as ``distilled_``. Its weights sum to the number of training rows.

print(small)
print("weights sum to", round(small.sample_weight.sum()))

# %%
# The centroids of digits are themselves images. Here they are computed without the scaler, so
# that they have the units of the pixels.

pixels = KMeansCoreset(budget=10, random_state=0).fit(X_train, y_train)
plot_rows(pixels, shape=(1, 8, 8))
plt.show()
