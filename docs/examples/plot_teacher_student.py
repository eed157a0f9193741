"""
A teacher and a student
=======================

Knowledge distillation makes the model small instead of the data. The student learns from the
probabilities of a large teacher and from the labels.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from distillkit import TeacherStudentDistiller, plot_history
from distillkit.nn import NetworkClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Any classifier can teach. ``teacher_cv`` asks a forest about rows that it was not trained on,
# because trees are certain of rows that they know.

model = TeacherStudentDistiller(
    teacher=RandomForestClassifier(100, random_state=0),
    student=NetworkClassifier(hidden=(16,), epochs=60, random_state=0),
    temperature=2.0,
    alpha=0.3,
    teacher_cv=3,
    random_state=0,
)
model.fit(X_train, y_train)

# %%
# The fitted object predicts with the student. It also trains the same student without the teacher,
# as a control, and measures all three on rows that it held out.

print(f"student on test rows:         {model.score(X_test, y_test):.3f}")
print(f"teacher on held-out rows:     {model.teacher_score_:.3f}")
print(f"student on held-out rows:     {model.student_score_:.3f}")
print(f"student taught by labels only:{model.student_alone_score_:6.3f}")
print(f"student agrees with teacher:  {model.agreement_:.3f}")
print(f"parameters: {model.n_parameters_teacher_:,} -> {model.n_parameters_student_:,}")

# %%
# The two parts of the student's loss, over the epochs:

plot_history(model, keys=["hard", "soft"])
plt.show()
