"""Own objects: hashes that stay where nothing has changed, copies for cells, and what is known of them."""

import functools
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from distillkit import ClassMeans, KMeansCoreset, RandomSubset, SoftLabels, TeacherStudentDistiller, WholeSet
from distillkit.base import BaseDistiller, Outcome
from distillkit.bench.own._factories import OwnEvaluator, OwnMethod
from distillkit.bench.own._fingerprint import object_digest
from distillkit.bench.own._pickles import write_object
from distillkit.bench.own._registration import register_own, store_own
from distillkit.bench.own._traits import evaluator_traits, method_traits
from distillkit.exceptions import PluginError, ResultsError
from distillkit.plugins import get_manager

SCRIPT = """
from sklearn.base import BaseEstimator
from distillkit.bench.own._fingerprint import object_digest

SCALE = {scale}

def helper(x):
    return x * SCALE

class Model(BaseEstimator):
    def __init__(self, a=1, options=frozenset(("x", "y", "z"))):
        self.a, self.options = a, options

    def fit(self, X, y):
        {body}
        return self

if __name__ == "__main__":
    print(object_digest(Model()))
"""


class FirstRows(BaseDistiller):
    """Picks the first rows of each class."""

    def _distill(self, rows, run):
        indices = np.concatenate([group.indices[: group.size] for group in rows.groups])
        return Outcome(indices=indices)


def digest_of_script(folder, scale=2, body="self.b_ = helper(1)"):
    (folder / "script.py").write_text(textwrap.dedent(SCRIPT).format(scale=scale, body=body))
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_hash_of_a_class_in_a_script_changes_with_its_code_alone(tmp_path):
    digest = digest_of_script(tmp_path)
    assert len(digest) == 12
    assert digest_of_script(tmp_path, body="self.b_ = helper(1)  # a comment") == digest
    others = [digest_of_script(tmp_path, body="self.b_ = helper(2)"), digest_of_script(tmp_path, scale=3)]
    assert len({digest, *others}) == 3


def test_parameters_of_any_kind_count():
    def by(number):
        return lambda x: x + number

    distinct = [
        LogisticRegression(),
        LogisticRegression(C=2),
        LogisticRegression(C=2.5),
        Ridge(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), LogisticRegression(C=2)),
        RandomForestClassifier(class_weight={0: 1, 1: 2}),
        RandomForestClassifier(class_weight={0: 1, 1: 3}),
        KNeighborsClassifier(metric=by(1)),
        KNeighborsClassifier(metric=by(2)),
        KNeighborsClassifier(metric=functools.partial(by, 1)),
        LogisticRegression(class_weight=np.arange(3)),
        LogisticRegression(class_weight=np.arange(3.0)),
        LogisticRegression(class_weight=[np.arange(2), np.float64(3)]),
        LogisticRegression(random_state=np.random.RandomState(1)),
        LogisticRegression(random_state=np.random.RandomState(2)),
    ]
    digests = [object_digest(each) for each in distinct]
    assert len(set(digests)) == len(digests)
    assert object_digest(KNeighborsClassifier(metric=by(1))) == digests[8]
    first, second = ({"b": 2, "a": 1}, {"a": 1, "b": 2})
    assert object_digest(first) == object_digest(second)


def test_a_fit_changes_nothing_and_a_circle_ends():
    model = LogisticRegression()
    before = object_digest(model)
    assert object_digest(model.fit([[0.0], [1.0]], [0, 1])) == before
    circle = [1]
    circle.append(circle)
    assert object_digest(circle) != object_digest([1])


def test_copies_are_seeded_where_no_seed_is_given(tmp_path):
    write_object(tmp_path / "open.pkl", RandomForestClassifier(), "it")
    write_object(tmp_path / "fixed.pkl", make_pipeline(RandomForestClassifier(random_state=5)), "it")
    make = OwnEvaluator(tmp_path / "open.pkl")
    assert make("classification", 1).random_state == make("classification", 1).random_state
    assert make("classification", 1).random_state != make("classification", 2).random_state
    assert OwnEvaluator(tmp_path / "fixed.pkl")("classification", 1).steps[0][1].random_state == 5


@pytest.mark.parametrize(
    ("distiller", "expected"),
    [
        (KMeansCoreset(budget=9, random_state=1), {"budget": 3, "random_state": 7, "task": "regression"}),
        (KMeansCoreset(task="classification"), {"budget": 3, "task": "classification"}),
        (SoftLabels(KMeansCoreset()), {"distiller__budget": 3, "random_state": 7}),
        (WholeSet(), {"task": "regression"}),
    ],
)
def test_a_method_gets_the_budget_and_the_seed_of_its_cell(tmp_path, distiller, expected):
    write_object(tmp_path / "it.pkl", distiller, "it")
    made = OwnMethod(tmp_path / "it.pkl").make({"budget": 3, "random_state": 7, "task": "regression"})
    assert {name: made.get_params()[name] for name in expected} == expected
    assert made is not distiller


def test_what_is_known_of_registered_classes_holds_for_objects_of_them():
    assert method_traits(ClassMeans())["budgeted"] is False
    assert method_traits(RandomSubset())["exposes_originals"] is True
    assert method_traits(SoftLabels(RandomSubset()))["label_mode"] == "soft"
    assert method_traits(SoftLabels(RandomSubset()))["exposes_originals"] is True
    assert method_traits(SoftLabels(ClassMeans()))["exposes_originals"] is False
    assert method_traits(TeacherStudentDistiller())["reduces"] == "model"
    assert method_traits(FirstRows())["label_mode"] == "hard"


def test_what_an_estimator_does_is_known():
    assert evaluator_traits(LogisticRegression())["tasks"] == ["classification"]
    assert evaluator_traits(Ridge())["tasks"] == ["regression"]
    assert evaluator_traits(KNeighborsClassifier())["label_modes"] == ["hard"]
    assert evaluator_traits(LogisticRegression())["label_modes"] == ["hard", "soft"]


def test_stored_objects_are_found_by_name_and_listed_nowhere(tmp_path):
    name = store_own(tmp_path, "method", FirstRows(budget=4), "methods")
    assert name.startswith("own/FirstRows-")
    assert get_manager().get("method", name).load().value.budget == 4
    assert get_manager().provider("method", name).dist == "own"
    assert name not in get_manager().specs("method")
    with pytest.raises(PluginError, match="is an object of whoever ran the comparison"):
        get_manager().get("method", "own/FirstRows-0")
    with pytest.raises(ResultsError, match=r"is not in .*: run the comparison again from its script"):
        register_own(tmp_path, [("method", "own/FirstRows-0")])
