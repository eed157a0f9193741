"""
A coreset of a stream
=====================

Rows that do not fit in memory are read in chunks. After each chunk the set stands for all rows
so far, and the memory in use stays bounded.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from distillkit import KMeansCoreset, StreamingCoreset

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)

# %%
# The stream: 40 chunks of 250 noisy digits, ten thousand rows in all.

stream = StreamingCoreset(budget=100, coreset="kmeans", chunk_size=500, random_state=0)
held = []
for _ in range(40):
    chunk = X[rng.choice(len(X), 250)] + rng.normal(0, 1, (250, X.shape[1]))
    stream.partial_fit(chunk)
    held.append((stream.n_rows_seen_, stream.n_rows_held_))

print(stream.distilled_)
print("weights sum to", round(stream.sample_weight_.sum()))

# %%
# The rows in memory grow with the logarithm of the rows seen.

n_seen, in_memory = np.transpose(held)
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.plot(n_seen, in_memory, drawstyle="steps-post")
ax.set(xlabel="rows seen", ylabel="rows in memory", ylim=(0, None))
plt.show()

# %%
# How good is the set? Compare the k-means cost of the original digits for its rows as centers
# with that of a coreset of all rows at once.


def cost(centers):
    """Mean squared distance of the digits to the nearest center."""
    return ((X[:, None] - centers[None]) ** 2).sum(axis=2).min(axis=1).mean()


at_once = KMeansCoreset(budget=100, random_state=0).fit(X)
print(
    f"stream: {cost(stream.X_distilled_):.0f}, all rows at once: {cost(at_once.X_distilled_):.0f}"
)
