"""The published figures that come with distillkit, and what is said of broken files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from distillkit.builtin._published import COLUMNS, published_folder, published_results
from distillkit.exceptions import ResultsError

GOOD = {
    "method": "herding",
    "dataset": "mnist",
    "budget": "10",
    "evaluator": "ConvNet-3",
    "metric": "accuracy",
    "value": "0.937",
    "std": "0.003",
    "n": "5",
    "source": "a paper, Table 1",
    "protocol": "hard labels",
}


def write(folder: Path, **changes: str) -> Path:
    path = folder / "figures.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerow(GOOD)
        writer.writerow(GOOD | changes)
    return path


def test_figures_come_with_the_package_for_the_data_that_others_use() -> None:
    results = published_results()
    assert published_folder().is_dir()
    assert {"mnist", "fashion-mnist", "cifar10"} <= {result.dataset for result in results}
    assert {"random", "kcenter", "herding", "kmeans", "gradient-matching", "whole"} <= {
        result.method for result in results
    }
    for result in results:
        assert 0 < result.value < 1, result  # fractions
        assert result.std is None or 0 <= result.std < 0.2, result
        assert result.source, result
        assert result.protocol, result  # no figure of another program has our protocol
        assert "unverified" not in result.protocol + result.source


def test_figures_are_spot_checked_against_their_tables() -> None:
    """Values as printed in the sources, in percent: DC and DSA on MNIST, random and k-center on two other sets."""
    found = {(r.dataset, r.method, r.budget, r.evaluator, r.protocol.partition(";")[0]): r for r in published_results()}
    for key, percent, std in [
        (("mnist", "gradient-matching", "1", "ConvNet-3", "DC"), 91.7, 0.5),
        (("mnist", "gradient-matching", "10", "ConvNet-3", "DSA: with Siamese augmentation"), 97.8, 0.1),
        (("fashion-mnist", "random", "10", "ConvNet-3", "hard labels"), 73.8, 0.7),
        (("cifar10", "kcenter", "10", "ConvNet-3", "hard labels"), 14.7, 0.9),
        (("fashion-mnist", "whole", "-", "ConvNet-3", "hard labels"), 93.5, 0.1),
    ]:
        assert found[key].value == pytest.approx(percent / 100)
        assert found[key].std == pytest.approx(std / 100)


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    write(tmp_path, std="", n="", protocol="", budget="-")
    first, second = published_results(tmp_path)
    assert (first.value, first.std, first.n, first.budget) == (0.937, 0.003, 5, "10")
    assert (second.value, second.std, second.n, second.budget, second.protocol) == (0.937, None, None, "-", "")


def test_no_folder_gives_no_figures(tmp_path: Path) -> None:
    assert published_results(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": "93,7"}, r"figures\.csv, line 3: value '93,7' is not a number"),
        ({"value": "nan"}, "value 'nan' is not a number"),
        ({"value": ""}, "value '' is not a number"),
        ({"value": "93.7"}, "93.7 is not a fraction; write accuracy as 0.912"),
        ({"std": "±1"}, "std '±1' is not a number"),
        ({"n": "2.5"}, "n '2.5' is not a number of repetitions"),
        ({"n": "0"}, "n '0' is not a number of repetitions"),
        ({"source": " "}, "source is empty"),
        ({"method": ""}, "method is empty"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    write(tmp_path, **changes)
    with pytest.raises(ResultsError, match=message):
        published_results(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "figures.csv").write_text("method,dataset,value\nrandom,mnist,0.5\n", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"figures\.csv lacks the column budget, evaluator"):
        published_results(tmp_path)


@pytest.mark.parametrize("line", ["random,mnist,10", "a,mnist,10,net,accuracy,0.5,,,x,y,too,many"])
def test_a_line_with_too_few_or_too_many_fields_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "figures.csv").write_text(",".join(COLUMNS) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ResultsError, match="line 2: the line does not have 10 fields"):
        published_results(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'method,"dataset\n'])
def test_a_file_that_is_no_csv_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "figures.csv").write_bytes(content)
    with pytest.raises(ResultsError, match=r"figures\.csv cannot be read as a CSV file"):
        published_results(tmp_path)
