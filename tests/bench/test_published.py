"""The published figures that come with distillkit, and what is said of broken files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from distillkit.builtin._published import COLUMNS, STRUCTURED, published_folder, published_results
from distillkit.exceptions import ResultsError
from distillkit.plugins import PluginManager
from distillkit.specs import PublishedResult

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


@pytest.fixture(scope="module")
def manager() -> PluginManager:
    return PluginManager(strict=True, disabled=True).load()


TYPED: dict[str, Any] = GOOD | {"value": 0.937, "std": 0.003, "n": 5}


def write(folder: Path, more: tuple[str, ...] = (), **changes: str) -> Path:
    path = folder / "figures.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, (*COLUMNS, *more))
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
        assert result.label_mode is not None, result
        assert result.judge is not None, result
        assert result.network, result
        assert result.protocol or result.judge or result.evaluator, result


def test_figures_are_joined_with_the_methods_that_they_are_of(manager: PluginManager) -> None:
    results = published_results()
    joined = {result.label: result.method for result in results}
    assert {joined[label] for label in ("FRePo", "RCIG", "KIP")} == {"kernel"}
    assert joined["random images, a teacher's labels"] == "soft-random"
    assert {(r.label, r.preset) for r in results if r.method == "gradient-matching" and r.size_factor == 1} == {
        ("DC", "dc"), ("DSA", "dsa"),
    }  # fmt: skip
    for result in results:
        if result.preset and result.method in manager.specs("method"):
            assert result.preset in manager.get("method", result.method).presets, result


def test_every_judge_is_a_preset_of_an_evaluator(manager: PluginManager) -> None:
    judges = {result.judge for result in published_results() if result.judge}
    assert judges == {"convnet:standard", "convnet:siamese", "convnet:plain"}
    for judge in judges:
        name, _, preset = judge.partition(":")
        assert manager.get("evaluator", name).presets[preset] == {"protocol": preset}


def test_figures_of_reduced_images_count_the_rows_that_are_trained_on() -> None:
    """IDC on CIFAR-10 at the bytes of one image a class trains on four, as its paper says."""
    (figure,) = [r for r in published_results() if (r.dataset, r.label, r.budget) == ("cifar10", "IDC", "4")]
    assert (figure.value, figure.size_factor) == (0.506, 0.25)
    parametrised = [r for r in published_results() if r.size_factor is None]
    assert {"DDiF", "FreD", "GSDD", "HMN", "NSD", "RTP", "SPEED"} == {r.label for r in parametrised}


def test_figures_are_spot_checked_against_their_tables() -> None:
    """Values as printed in the sources, in percent: DC and DSA on MNIST, random and k-center on two other sets."""
    found = {(r.dataset, r.method, r.budget, r.label): r for r in published_results() if r.label_mode == "hard"}
    for key, percent, std in [
        (("mnist", "gradient-matching", "1", "DC"), 91.7, 0.5),
        (("mnist", "gradient-matching", "10", "DSA"), 97.8, 0.1),
        (("mnist", "kcenter", "10", "K-Center"), 84.4, 1.7),
        (("fashion-mnist", "random", "10", "Random"), 73.8, 0.7),
        (("cifar10", "kcenter", "10", "K-Center"), 14.7, 0.9),
        (("fashion-mnist", "whole", "-", "whole set"), 93.5, 0.1),
    ]:
        assert found[key].value == pytest.approx(percent / 100)
        assert found[key].std == pytest.approx(std / 100)


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    write(tmp_path, std="", n="", protocol="", budget="-")
    first, second = published_results(tmp_path)
    assert (first.value, first.std, first.n, first.budget) == (0.937, 0.003, 5, "10")
    assert (second.value, second.std, second.n, second.budget, second.protocol) == (0.937, None, None, "-", "")


def test_structured_columns_are_read(tmp_path: Path) -> None:
    changes = {"preset": "default", "judge": "none", "label_mode": "not stated", "size_factor": "parameters"}
    write(tmp_path, STRUCTURED, **changes, epochs="1000", bytes="31360", verified="yes", label="H", note="a note")
    first, second = published_results(tmp_path)
    assert first == PublishedResult(**(TYPED | {"protocol": "hard labels"}))  # empty fields have the default values
    assert (second.preset, second.judge, second.label_mode, second.size_factor) == ("", "", "", None)
    assert (second.epochs, second.bytes, second.verified) == (1000, 31360, True)
    assert (second.label, second.note, second.augmentation) == ("H", "a note", "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_mode": "firm"}, r"line 3: label_mode 'firm' is none of hard, soft and 'not stated'"),
        ({"size_factor": "a quarter"}, "size_factor 'a quarter' is not a number"),
        ({"epochs": "many"}, "epochs 'many' is not a number of epochs"),
        ({"verified": "perhaps"}, "verified 'perhaps' is neither yes nor no"),
    ],
)
def test_a_wrong_structured_field_is_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    write(tmp_path, STRUCTURED, **changes)
    with pytest.raises(ResultsError, match=message):
        published_results(tmp_path)


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
