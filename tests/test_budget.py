"""Budget: forms, rounding, and the division over classes against brute force."""

import itertools

import numpy as np
import pytest

from distillkit import Budget
from distillkit.exceptions import BudgetError, DistillkitError


def best_deviation(total, counts):
    """Smallest sum of squared deviations from exact shares, over every allowed division, in exact arithmetic."""
    n = sum(counts)
    ranges = [range(1, count + 1) for count in counts]
    return min(
        sum((quota * n - total * count) ** 2 for quota, count in zip(quotas, counts, strict=True))
        for quotas in itertools.product(*ranges)
        if sum(quotas) == total
    )


@pytest.mark.parametrize("counts", [(1,), (7,), (6, 2), (5, 5, 9), (1, 1, 8), (10, 9, 1), (4, 4, 4, 1), (2, 6, 3, 5)])
def test_share_is_the_best_division_that_there_is(counts):
    labelled = dict(enumerate(counts))
    n = sum(counts)
    for share in (0.01, 0.1, 0.25, 1 / 3, 0.5, 0.77, 0.999):
        quotas = Budget(share).per_class(labelled)
        total = max(len(counts), round(share * n))
        assert list(quotas) == list(labelled)
        assert sum(quotas.values()) == total
        assert all(1 <= quotas[label] <= labelled[label] for label in labelled)
        deviation = sum((quotas[label] * n - total * labelled[label]) ** 2 for label in labelled)
        assert deviation == best_deviation(total, counts)


def test_share_of_many_random_classes_sums_within_bounds_and_is_within_a_row_of_proportion():
    rng = np.random.RandomState(0)
    for _ in range(300):
        counts = dict(enumerate((rng.pareto(0.8, rng.randint(1, 40)) * 3 + 1).astype(int).tolist()))
        share = rng.uniform(0.001, 0.999)
        quotas = Budget(share).per_class(counts)
        n, total = sum(counts.values()), sum(quotas.values())
        assert total == max(len(counts), round(share * n))
        for label, count in counts.items():
            exact = total * count / n
            assert 1 <= quotas[label] <= count
            # the minimum of one each is paid by the large classes, so only they may be below their share
            assert quotas[label] < max(exact, 1) + 1


def test_equal_classes_get_equal_rows_and_a_remainder_goes_to_the_first():
    assert Budget(0.1).per_class({"a": 50, "b": 50}) == {"a": 5, "b": 5}
    assert Budget(0.35).per_class(dict.fromkeys("abc", 10)) == {"a": 4, "b": 3, "c": 3}  # 10.5 rounds to 10


def test_a_raised_minimum_does_not_take_the_remainder_of_another_class():
    # exact shares 5.5, 4.6 and 0.9: the class raised to one row owes rows, it is not owed one
    assert Budget(0.11).per_class({"a": 50, "b": 42, "c": 8}) == {"a": 5, "b": 5, "c": 1}


@pytest.mark.parametrize("value", [3, np.int32(3)])
def test_an_int_is_rows_of_every_class_or_in_all(value):
    budget = Budget(value)
    assert budget.per_class({"a": 5, "b": 3}) == {"a": 3, "b": 3}
    assert budget.total(10) == 3
    assert type(budget.total(10)) is int


@pytest.mark.parametrize(
    ("share", "n", "rows"), [(0.1, 100, 10), (0.001, 100, 1), (0.999, 100, 100), (np.float32(0.5), 9, 4)]
)
def test_a_share_of_all_rows_is_rounded_and_at_least_one(share, n, rows):
    assert Budget(share).total(n) == rows


@pytest.mark.parametrize(
    ("wanted", "counts", "quotas"),
    [
        ({"b": 1, "a": 2}, {"a": 5, "b": 3}, {"a": 2, "b": 1}),
        ({"0": 1, "1": 2}, {0: 5, 1: 3}, {0: 1, 1: 2}),  # keys of TOML are text
        ({"0": 1, "1": 2}, {0.0: 5, 1.0: 3}, {0.0: 1, 1.0: 2}),
        ({0: 1, 1: 2}, {0.0: 5, 1.0: 3}, {0.0: 1, 1.0: 2}),
        ({"True": 1, "False": 2}, {False: 5, True: 3}, {False: 2, True: 1}),
        ({np.int64(4): 1}, {4: 5}, {4: 1}),
    ],
)
def test_a_dict_names_classes_by_value_or_by_text(wanted, counts, quotas):
    assert Budget(wanted).per_class(counts) == quotas
    assert list(Budget(wanted).per_class(counts)) == list(counts)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"a": 1}, "leaves out class b"),
        ({"a": 1, "b": 1, "z": 1}, "class 'z', but y has the classes"),
        ({"a": 1, "b": 4}, "4 rows of class 'b', which has n_samples = 3"),
    ],
)
def test_a_dict_that_does_not_fit_the_classes_is_refused(wanted, words):
    with pytest.raises(BudgetError, match=words):
        Budget(wanted).per_class({"a": 5, "b": 3})


def test_a_class_named_twice_is_refused():
    with pytest.raises(BudgetError, match="names class 1 twice"):
        Budget({"1": 2, 1: 3}).per_class({1: 5})


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        0.0,
        1.0,
        1.5,
        -0.1,
        float("nan"),
        float("inf"),
        True,
        None,
        "10",
        [1],
        1j,
        {},
        {"a": 0},
        {"a": 0.5},
        {"a": True},
    ],
)
def test_other_values_are_refused_by_name(value):
    with pytest.raises(BudgetError, match="budget") as caught:
        Budget(value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, DistillkitError)


def test_more_rows_than_there_are_is_refused_with_the_count():
    with pytest.raises(BudgetError, match="n_samples = 4"):
        Budget(5).total(4)
    with pytest.raises(BudgetError, match="class 'a', which has 1 sample"):
        Budget(2).per_class({"a": 1, "b": 9})


def test_a_dict_without_classes_is_refused_with_the_remedy():
    with pytest.raises(BudgetError, match="task='classification'"):
        Budget({"a": 1}).total(10)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        (" 7 ", 7),
        ("0.05", 0.05),
        ("5%", 0.05),
        ("cat=3,dog=5", {"cat": 3, "dog": 5}),
        ("a=b=2", {"a=b": 2}),
        ("1e-3", 1e-3),
    ],
)
def test_parse_reads_what_the_command_line_takes(text, value):
    assert Budget.parse(text).value == value


@pytest.mark.parametrize("text", ["", "ten", "0", "-3", "1.5", "100%", "x%", "cat=", "cat=x", "cat=0", "=", "nan", "²"])
def test_parse_refuses_other_text(text):
    with pytest.raises(BudgetError, match="budget"):
        Budget.parse(text)


@pytest.mark.parametrize("value", [10, 0.05, {"cat": 3, "dog": 5}])
def test_text_of_a_budget_reads_as_the_same_budget(value):
    assert Budget.parse(str(Budget(value))) == Budget(value)
