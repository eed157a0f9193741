"""
A teacher and a student
=======================

Knowledge distillation makes the model small instead of the data. The student learns from the
probabilities of a large teacher and from the labels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from distillkit import TeacherStudentDistiller
from distillkit.nn import NetworkClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)

# %%
# Here three of ten training labels are replaced by random ones. A forest averages such errors
# out, and its probabilities hand that on.

rng = np.random.default_rng(0)
y_noisy = np.where(rng.random(len(y_train)) < 0.3, rng.integers(0, 10, len(y_train)), y_train)

# %%
# Any classifier can teach. ``teacher_cv`` asks a forest about rows that it was not trained on,
# because trees are certain of rows that they know.

model = TeacherStudentDistiller(
    teacher=RandomForestClassifier(100, random_state=0),
    student=NetworkClassifier(hidden=(32,), epochs=60, lr=0.005, random_state=0),
    temperature=1.0,
    alpha=0.1,
    teacher_cv=3,
    random_state=0,
)
model.fit(X_train, y_noisy)

# %%
# The fitted object predicts with the student. It also trains the same student without the
# teacher, as a control.

scores = {
    "student alone": model.student_alone_.score(X_test, y_test),
    "student": model.score(X_test, y_test),
    "teacher": model.teacher_.score(X_test, y_test),
}
print(f"student agrees with teacher: {model.agreement_:.3f}")
print(f"parameters: {model.n_parameters_teacher_:,} -> {model.n_parameters_student_:,}")

fig, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
bars = ax.barh(list(scores), list(scores.values()), color=["0.7", "C0", "C2"])
ax.bar_label(bars, fmt="%.3f", padding=4)
ax.set(xlim=(0.8, 1), xlabel="accuracy on clean test rows")
plt.show()
