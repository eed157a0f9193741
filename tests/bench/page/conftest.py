"""A leaderboard of made-up rows that is as large as the page has to bear, and one browser for all tests of a module."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distillkit.bench.leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.reporters import render_html
from distillkit.bench.results._store import ResultsStore
from distillkit.distilled import DistilledSet
from distillkit.specs import MetricSpec

DATASETS = [f"data{d}" for d in range(6)]
BUDGETS = {"1": 10, "10": 100, "50": 500, "0.2": 1000}
SPLITS = 10
FAMILIES = ("coreset", "condensation", "synthesis")
METRICS = {
    name: MetricSpec(name=name, target=None, stage="run", greater_is_better=better, summary=f"summary of {name}")
    for name, better in [("accuracy", True), ("rows", None), ("mmd", False)]
}
HOSTILE = "</script><script>document.title = 'stolen'</script>"


def method_names() -> list[str]:
    return ["random", *(f"method-{m:02d}" for m in range(22)), f"a-method-with-a-long-name {HOSTILE}"]


def cell(dataset: str, method: str, budget: str, split: int, evaluator: str, **more: Any) -> dict[str, Any]:
    place = method_names().index(method) if method in method_names() else 0
    control = method in ("random", "whole", "soft-random")
    fields = {
        "suite": "large", "dataset": dataset, "dataset_name": dataset, "dataset_params": {}, "dataset_revision": "1",
        "task": "classification", "modality": "table", "method": method, "method_name": method, "method_params": {"n_init": place},
        "method_version": 2, "kind": "control" if control else FAMILIES[place % 3], "plugin": "distillkit", "plugin_version": "0.1.0",
        "budget": budget, "distil_seed": split, "evaluator": evaluator, "evaluator_name": evaluator, "evaluator_params": {},
        "evaluator_version": 1, "eval_seed": 0, "label_mode": "hard", "split": split, "n_test": 500, "n_train": 5000,
        "data_key": f"{dataset}-{split}", "distil_key": f"{dataset}-{method_names().index(method) if method in method_names() else method}-{budget}-{split}",
        "environment": "abc", "threads": 1, "metric_versions": ["accuracy@1"],
        "role": {"random": "control", "whole": "reference"}.get(method, "method"),
    } | more  # fmt: skip
    names = ("dataset", "evaluator", "label_mode", "method", "budget", "split")
    fields["key"] = f"{abs(hash_of('/'.join(str(fields[name]) for name in names))):016x}"
    return fields


def hash_of(text: str) -> int:
    import hashlib

    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def row(identity: dict[str, Any], accuracy: float, kept: int, seconds: float, verdict: str = "pass") -> dict[str, Any]:
    return identity | {
        "status": "ok", "phase": None, "error": None, "artefact": None, "stopped_by": None, "n_concurrent": 1,
        "metrics": {"accuracy": accuracy, "mmd": 1 / kept, "rows": kept, "bytes": kept * 80, "seconds-distil": seconds, "seconds-train": 0.02},
        "rows": kept, "rows_seen": 5000, "bytes": kept * 80, "bytes_seen": 400_000, "seconds_distil": seconds, "seconds_train": 0.02,
        "started": "2031-05-06T07:08:09+00:00", "peak_mb": 100.0, "seconds": 1.0,
        "privacy": {"verdict": verdict, "reasons": ["made up."]}, "exposes_originals": verdict == "fail", "starts_from_real": False,
        "floors": {"mmd": {"picked": [0.03, 0.001], "fresh": [0.04, 0.002], "z": -9.0, "error": None}},
    }  # fmt: skip


def large_rows() -> list[dict[str, Any]]:
    """Return rows in which method-00 to method-02 lead, and the random subset is far behind."""
    rng = np.random.default_rng(0)
    found = []
    for d, dataset in enumerate(DATASETS):
        for evaluator in ("knn", "logistic") if d < 2 else ("knn",):
            splits = rng.normal(0, 0.01, SPLITS)
            for m, method in enumerate(method_names()):
                skill = 0.2 if m == 0 else 0.5 - 0.012 * m
                for b, (budget, kept) in enumerate(BUDGETS.items()):
                    noise = rng.normal(0, 0.008, SPLITS) + splits
                    values = 0.4 + 0.04 * b + skill * 0.7 + noise
                    for split in range(SPLITS):
                        identity = cell(dataset, method, budget, split, evaluator)
                        verdict = ("pass", "warn", "fail")[m % 3]
                        found.append(row(identity, float(values[split]), kept, 0.01 * 2**m * kept / 100, verdict))
            for split in range(SPLITS):
                identity = cell(dataset, "whole", "-", split, evaluator)
                found.append(row(identity, float(0.95 + splits[split]), 5000, 0.0))
    for method, value in (("soft-random", 0.6), ("soft-kmeans", 0.8)):
        for split in range(SPLITS):
            identity = cell("data0", method, "10", split, "logistic", label_mode="soft")
            found.append(row(identity, value + 0.001 * split, 100, 0.5))
    broken = [r for r in found if (r["dataset"], r["method"], r["budget"]) == ("data5", "method-21", "50")]
    for one in broken[:2]:
        one.update(status="failed", phase="distil", error=f"ValueError: {HOSTILE}", metrics={})
    return found


def large_board(folder: Path) -> LeaderboardData:
    """Return the leaderboard, with artefacts, histories and prepared data for some of its entries."""
    rows = large_rows()
    store = ResultsStore(folder)
    for one in rows:
        if one["split"] == 0 and one["dataset"] == "data0" and one["method"] == "method-00" and one["budget"] == "10":
            one["artefact"] = f"artefacts/{one['distil_key']}.safetensors"
            values = np.arange(40, dtype=np.float32).reshape(20, 2)
            DistilledSet(values, np.repeat([0, 1], 10)).save(folder / one["artefact"])
            steps = [{"iter": i, "loss": 10.0 / i} for i in range(1, 30)]
            store.artefact_path(one["distil_key"]).with_suffix(".json").write_text(json.dumps({"history": steps}))
            prepared = store.data_path(one["data_key"])
            prepared.mkdir(parents=True, exist_ok=True)
            (prepared / "dataset.json").write_text(json.dumps({"preparation": "columns scaled to unit variance"}))
    skipped = [cell("data0", "gan", "1", 0, "knn", skip="gan does images only")]
    environment = {"abc": {"versions": {"numpy": "2.0"}, "processor": "made up", "gpus": []}}
    return build_leaderboard(
        [*rows, *skipped], {r["key"]: r for r in rows}, METRICS, title="large", description="made up",
        environments=environment, folder=folder,
    )  # fmt: skip


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory) -> LeaderboardData:
    return large_board(tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="session")
def page(board: LeaderboardData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "leaderboard.html"
    path.write_text(render_html(board), encoding="utf-8")
    return path


class Browser:
    """A browser with the page in it."""

    def __init__(self, driver: Any, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads

    def open(self, path: Path, fragment: str = "", width: int = 1300, scheme: str = "light", media: str = "") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", media=media, features=features)
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.driver.get("about:blank")
        self.driver.get(path.absolute().as_uri() + fragment)
        assert self.until("return document.documentElement.dataset.ready === 'charts'"), self.driver.get_log("browser")

    def command(self, name: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str, seconds: float = 15.0) -> Any:
        """Wait until a script returns something true, and return that; None if it does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.run(script):
                return found
            time.sleep(0.03)
        return None

    def keys(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.common.exceptions import WebDriverException

    program = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    driver_path = shutil.which("chromedriver")
    if program is None or driver_path is None:
        pytest.skip("no Chromium with its driver on this machine")
    downloads = tmp_path_factory.mktemp("downloads")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    for flag in (*flags, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    except WebDriverException as exc:
        pytest.skip(f"Chromium does not run here: {exc.msg}")
    driver.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    yield Browser(driver, downloads)
    driver.quit()
