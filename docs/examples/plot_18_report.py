"""
Look at a small set beside the real rows
========================================

A report says what a small set keeps of the rows that it stands for, and what it reveals of
them: the distributions of both sides, what a model learns, and lights for privacy.
"""

from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from distillkit import CopulaSynthesizer, RandomSubset, report

X, y = load_wine(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, random_state=0, test_size=0.4
)

# %%
# Random rows are copies of training rows, so the light is red. The rows that the method has not
# seen are what the scores and the other lights are measured by.

picked = RandomSubset(budget=10, random_state=0).fit(X_train, y_train)
print(report(X_train, picked, y_train, test=(X_test, y_test)).lights["privacy"])

# %%
# A synthesizer makes rows of its own. The report shows each column of both sides, with its drift
# beside that of random rows. ``to_html`` writes the same as a page.

made = CopulaSynthesizer(budget=10, random_state=0).fit(X_train, y_train)
about = report(X_train, made, y_train, test=(X_test, y_test))
print(about.summary)

# %%
# A notebook shows the report as a page.

# sphinx_gallery_capture_repr_block = ("_repr_html_",)
about  # noqa: B018 (shown below)
