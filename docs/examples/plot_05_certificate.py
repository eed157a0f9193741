"""
A certificate for a coreset
===========================

How far can costs computed on the small set be from those on all rows? ``certify`` measures it
for several solutions, good and bad ones.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from distillkit import KMeansCoreset, LightweightCoreset, RandomSubset
from distillkit.coresets import certify

X, y = load_digits(return_X_y=True)
X = X / 16

small = LightweightCoreset(budget=0.1, random_state=0).fit(X, y).distilled_
certificate = certify(small, X, y)
print(f"largest relative error of a cost:  {certificate.error:.3f}")
print(f"excess cost of the model fitted to the set: {certificate.excess:.3f}")

# %%
# Each entry of ``costs`` is one solution: its cost on all rows and on the weighted set.

for cost in certificate.costs:
    print(
        f"{cost['cost']:10} {cost['solution']:28} all rows {cost['whole']:10.1f}"
        f"   set {cost['distilled']:10.1f}"
    )

# %%
# The error falls as the budget grows. With ``certify=True`` a coreset measures it after each
# fit and stores it as ``error_``; the metric ``coreset-error`` puts it into a leaderboard, without
# the offset that a method may report.

shares = [0.02, 0.05, 0.1, 0.2, 0.4]
fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for method in (RandomSubset, LightweightCoreset, KMeansCoreset):
    sets = [method(share, random_state=0).fit(X, y).distilled_ for share in shares]
    errors = [certify(distilled, X, y).worst("k-means") for distilled in sets]
    ax.plot([100 * share for share in shares], errors, "o-", label=method.__name__)
ax.set(xlabel="rows kept (%)", ylabel="largest error of a k-means cost", ylim=(0, None))
ax.legend()
plt.show()
