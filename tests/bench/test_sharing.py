"""Results that others build on: rows are reproduced, verified, merged, compared and published."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from distillkit.bench.planning._cell_keys import cell_keys
from distillkit.bench.results._schema import wrong_row
from distillkit.bench.results._store import ResultsStore
from distillkit.bench.sharing import _reproduction as reproduction_module
from distillkit.bench.sharing._changed_versions import changed_environment
from distillkit.bench.sharing._comparison import compare_results
from distillkit.bench.sharing._merge import merge
from distillkit.bench.sharing._reproduction import reproduce
from distillkit.bench.sharing._row_schema import row_schema
from distillkit.bench.sharing._row_source import find_row, open_source
from distillkit.bench.sharing._row_values import row_differences
from distillkit.bench.sharing._site import publish
from distillkit.bench.sharing._verification import verify
from distillkit.distilled import DistilledSet
from distillkit.exceptions import ResultsError


@pytest.fixture(scope="module")
def results(trouble, tmp_path_factory, plan_for, do):
    """A run with a method that works, one that fails and one that is skipped."""
    folder = tmp_path_factory.mktemp("shared") / "s"
    do(
        plan_for('["first", "raises", "far-off"]', seeds="2", metrics='["right", "rows", "farthest", "accuracy"]'),
        folder,
    )
    return folder


@pytest.fixture
def copy(results, tmp_path):
    """Return a function that copies the run to a new folder, without its prepared data."""

    def make(name):
        shutil.copytree(results, tmp_path / name, ignore=shutil.ignore_patterns("data", ".lock"))
        return tmp_path / name

    return make


def rows_in(folder, **wanted):
    return [row for row in open_source(folder).rows.values() if wanted.items() <= row.items()]


def change(folder, row, **values):
    path = ResultsStore(folder).cell_path(row["key"])
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_every_row_says_what_its_key_is_made_of(results):
    rows = rows_in(results)
    assert {row["status"] for row in rows} == {"ok", "failed", "skipped"}
    for row in rows:
        assert cell_keys(row) == (row["data_key"], row["distil_key"], row["key"])


def test_a_row_is_reproduced_from_its_line_alone(results, tmp_path):
    for status in ("ok", "failed"):
        row = rows_in(results, status=status)[0]
        path = tmp_path / f"{status}.jsonl"
        path.write_text(json.dumps(row))
        source = open_source(path)
        outcome = reproduce(find_row(source, row["key"][:6]), source)
        assert outcome.identical
        assert outcome.found["key"] == row["key"]
        assert outcome.found["set_digest"] == row["set_digest"]
        assert "environment of the row is not stored" in outcome.notes[0]


def test_a_changed_value_is_found(results):
    source = open_source(results)
    row = rows_in(results, status="ok")[0]
    changed = row | {"metrics": row["metrics"] | {"right": np.nextafter(row["metrics"]["right"], 0)}, "seconds": 1e6}
    outcome = reproduce(changed | {"set_digest": "0" * 64}, source)
    assert [difference.field for difference in outcome.differences] == ["metrics.right", "set_digest"]
    assert outcome.changes == []
    assert "is stored" in str(outcome.differences[0])


def test_a_set_without_a_checksum_is_compared_by_its_file(results, copy):
    folder = copy("old")
    row = rows_in(results, status="ok")[0]
    old = {name: value for name, value in row.items() if name != "set_digest"}
    assert reproduce(old, open_source(folder)).identical
    path = ResultsStore(folder).artefact_path(row["distil_key"])
    rows = DistilledSet.load(path)
    rows.X = rows.X + np.float32(1)
    rows.save(path)
    assert [one.field for one in reproduce(old, open_source(folder)).differences] == ["set_digest"]
    path.unlink()
    assert "its file is not here" in reproduce(old, open_source(folder)).notes[0]


def test_changed_versions_are_named(results, monkeypatch):
    row = rows_in(results, status="ok")[0]
    here = reproduction_module.collect_environment()
    older = here | {"versions": here["versions"] | {"numpy": "0.1"}, "cores": 999}
    older["plugins"] = [*here["plugins"], "gone==1.0"]
    monkeypatch.setattr(reproduction_module, "collect_environment", lambda: older)
    outcome = reproduce(row | {"method_version": 7, "dataset_revision": "3"}, open_source(results))
    assert f"numpy {here['versions']['numpy']} then, 0.1 now" in outcome.changes
    assert f"cores {here['cores']} then, 999 now" in outcome.changes
    assert "gone absent then, 1.0 now" in outcome.changes
    assert "method first version 7 then, 1 now" in outcome.changes
    assert any(change.startswith("dataset tiny revision 3 then, ") for change in outcome.changes)
    assert changed_environment(here, here) == []


def test_rows_are_compared_bit_for_bit_but_for_times(results):
    row = rows_in(results, status="ok")[0]
    assert row_differences(row, row | {"seconds": 9.0, "peak_mb": 1.0, "started": "x", "seconds_train": 3.0}) == []
    timed = row | {"metrics": row["metrics"] | {"seconds-train": 5.0}}
    assert row_differences(timed, timed | {"metrics": row["metrics"] | {"seconds-train": 6.0}}) == []
    assert row_differences(row, row | {"shared_rows": row["shared_rows"] + 1})[0].field == "shared_rows"
    assert row_differences(row, row | {"rows": float(row["rows"])})[0].field == "rows"
    failed = rows_in(results, status="failed")[0]
    assert row_differences(failed, failed | {"error": "another"})[0].field == "error"
    crashed = failed | {"status": "crashed"}
    assert row_differences(crashed, crashed | {"error": "another"}) == []
    one, other = (failed | {"error": f"bad {place}"} for place in ("<T at 0x12ab>", "<T at 0x99>"))
    assert row_differences(one, other) == []


def test_a_sound_folder_is_verified(results):
    outcome = verify(open_source(results), sample=2, seed=3)
    assert outcome.holds
    assert len(outcome.checks) == 2
    again = verify(open_source(results), sample=2, seed=3)
    assert [check.row["key"] for check in again.checks] == [check.row["key"] for check in outcome.checks]


DAMAGE = {
    "a parameter": ({"method_params": {"log": "x"}}, "its key and distil_key are not those of its fields"),
    "a metric": ({"metrics": {"accuracy": 0.25, "right": 1.0}}, "its accuracy are not those of its predictions"),
    "a digest": ({"set_digest": "0" * 64}, "the file of its distilled set holds another set"),
    "an environment": ({"environment": "gone"}, "environments/gone.json is missing"),
    "a type": ({"rows": "four"}, "is damaged, or the row of another cell"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_row_is_found_without_a_run(copy, name):
    values, words = DAMAGE[name]
    folder = copy("damaged")
    change(folder, rows_in(folder, status="ok")[0], **values)
    with pytest.warns(match="is damaged") if name == "a type" else _nothing():
        outcome = verify(open_source(folder), sample=0)
    assert not outcome.holds
    assert any(words in problem for problem in outcome.problems)


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_damaged_files_are_found(copy):
    folder = copy("damaged")
    path = next((folder / "artefacts").glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    environment = next((folder / "environments").glob("*.json"))
    environment.write_text(environment.read_text().replace('"cores": ', '"cores": 1'))
    problems = verify(open_source(folder), sample=0).problems
    assert any(f"artefacts/{path.name} is damaged" in problem for problem in problems)
    assert any("its hash is another" in problem for problem in problems)


def test_a_false_row_fails_where_it_is_drawn(copy):
    folder = copy("false")
    row = rows_in(folder, status="ok")[0]
    change(folder, row, shared_rows=17)
    outcome = verify(open_source(folder), sample=None)
    assert not outcome.problems
    assert {check.row["key"] for check in outcome.checks if check.outcome == "different"} == {row["key"]}
    assert not outcome.holds


def test_only_new_rows_are_drawn_and_old_ones_must_stay(copy):
    base, head = copy("base"), copy("head")
    first, second = rows_in(base, status="ok")
    ResultsStore(base).cell_path(first["key"]).unlink()
    outcome = verify(open_source(head), sample=5, base=open_source(base))
    assert outcome.holds
    assert [check.row["key"] for check in outcome.checks] == [first["key"]]
    change(head, second, seconds=1e9)
    ResultsStore(head).cell_path(rows_in(head, status="skipped")[0]["key"]).unlink()
    problems = verify(open_source(head), sample=0, base=open_source(base)).problems
    assert sorted(problem.partition(": ")[2] for problem in problems) == [
        "the row was changed.",
        "the row was removed.",
    ]


def test_a_method_that_is_not_installed_is_an_error_of_its_row(copy):
    folder = copy("foreign")
    row = rows_in(folder, status="ok")[0]
    fields = row | {"method_name": "nobody-has-this"}
    keys = cell_keys(fields)
    ResultsStore(folder).cell_path(row["key"]).unlink()
    ResultsStore(folder).write_row(fields | keys._asdict())
    checks = verify(open_source(folder), sample=None).checks
    (check,) = [check for check in checks if check.outcome == "error"]
    assert "nobody-has-this" in check.reasons[0]


def halves(copy):
    """Two folders, each with one half of the rows."""
    folders = copy("one"), copy("two")
    keys = sorted(open_source(folders[0]).rows)
    for folder, mine in zip(folders, (keys[::2], keys[1::2]), strict=True):
        store = ResultsStore(folder)
        for key in set(keys) - set(mine):
            store.cell_path(key).unlink()
        plan = store.plan()
        store.write_plan(plan | {"cells": [cell for cell in plan["cells"] if cell["key"] in mine]})
    return folders


def test_halves_merge_to_the_whole(results, copy, tmp_path):
    one, two = halves(copy)
    merged = merge([open_source(one), open_source(two)], tmp_path / "out")
    assert merged.n_shared == 0
    assert open_source(tmp_path / "out").rows == open_source(results).rows
    whole, united = ResultsStore(results), ResultsStore(tmp_path / "out")
    assert sorted(cell["key"] for cell in united.plan()["cells"]) == sorted(
        cell["key"] for cell in whole.plan()["cells"]
    )
    assert united.environments() == whole.environments()
    for row in rows_in(results, status="ok"):
        assert united.targets(row["data_key"]) == whole.targets(row["data_key"]) is not None
        assert united.record(row["distil_key"]) == whole.record(row["distil_key"]) is not None
    assert verify(open_source(tmp_path / "out"), sample=0).holds
    extended = merge([open_source(one), open_source(two)], one)
    assert extended.n_rows == len(open_source(results).rows)
    assert open_source(one).rows == open_source(results).rows


def test_rows_that_differ_in_times_alone_are_the_same(copy, tmp_path):
    one, two = copy("one"), copy("two")
    row = rows_in(two, status="ok")[0]
    change(two, row, seconds=1e6)
    merged = merge([open_source(one), open_source(two)], tmp_path / "out")
    assert (merged.n_shared, merged.resolved) == (merged.n_rows, [])
    assert open_source(tmp_path / "out").rows == open_source(one).rows


def test_contradictions_are_refused_unless_one_is_preferred(copy, tmp_path):
    one, two = copy("one"), copy("two")
    row = rows_in(two, status="ok")[0]
    change(two, row, shared_rows=5)
    sources = [open_source(one), open_source(two)]
    with pytest.raises(ResultsError, match=f"row {row['key']} differs in shared_rows .*--prefer"):
        merge(sources, tmp_path / "out")
    with pytest.raises(ResultsError, match="is none of the results"):
        merge(sources, tmp_path / "out", tmp_path / "three")
    assert len(merge(sources, tmp_path / "out", two).resolved) == 1
    assert open_source(tmp_path / "out").rows[row["key"]]["shared_rows"] == 5
    with pytest.raises(ResultsError, match="is not empty"):
        merge(sources, tmp_path / "out")


def test_two_versions_of_a_method_do_not_merge(copy, tmp_path):
    one, two = copy("one"), copy("two")
    store = ResultsStore(two)
    plan = store.plan()
    for row in rows_in(two, method="first"):
        store.cell_path(row["key"]).unlink()
        fields = row | {"method_version": 2}
        store.write_row(fields | cell_keys(fields)._asdict())
    for cell in plan["cells"]:
        if cell["method"] == "first":
            cell["method_version"] = 2
            cell.update(cell_keys(cell)._asdict())
    store.write_plan(plan)
    sources = [open_source(one), open_source(two)]
    with pytest.raises(ResultsError, match="method first version 2 in place of 1"):
        merge(sources, tmp_path / "out")
    merge(sources, tmp_path / "out", two)
    assert {row["method_version"] for row in rows_in(tmp_path / "out", method="first")} == {2}
    versions = {cell["method_version"] for cell in ResultsStore(tmp_path / "out").plan()["cells"]}
    assert 2 in versions
    table = compare_results(*sources).table.set_index("method")
    assert table.loc["first", "verdict"] == "identical"  # The cells are the same, their keys are not.


def test_two_protocols_do_not_merge(copy, tmp_path):
    one, two = copy("one"), copy("two")
    for row in rows_in(two):
        change(two, row, protocol=1)
    with pytest.raises(ResultsError, match=r"protocol 2 in .*one; protocol 1 in .*two"):
        merge([open_source(one), open_source(two)], tmp_path / "out")


def test_results_are_compared_by_their_shared_cells(copy):
    one, two = copy("one"), copy("two")
    first, second = rows_in(two, status="ok")
    change(two, first, metrics=first["metrics"] | {"right": 0.5})
    outcome = compare_results(open_source(one), open_source(two))
    entry = outcome.table.set_index("method").loc["first"]
    mean = (0.5 + second["metrics"]["right"]) / 2
    assert entry["second"] == pytest.approx(mean)
    assert entry["difference"] == pytest.approx(mean - 1)
    assert entry["cells"] == "2/2"
    ResultsStore(two).cell_path(second["key"]).unlink()
    outcome = compare_results(open_source(one), open_source(two))
    assert outcome.only_first == {"first on tiny, budget 2": 1}
    assert outcome.only_second == {}


def split_rows(values, method="kmeans"):
    """Rows of several splits with the given accuracies."""
    template = {
        "dataset": "d", "task": "classification", "evaluator": "knn", "label_mode": "hard", "budget": "1",
        "method": method, "eval_seed": 0, "primary": "accuracy", "status": "ok", "n_test": 100, "n_train": 300,
        "distil_seed": 0, "data_key": "d",
    }  # fmt: skip
    return {
        f"{method}{split}": template | {"key": f"{method}{split}", "split": split, "metrics": {"accuracy": value}}
        for split, value in enumerate(values)
    }


def test_differences_have_the_interval_of_nadeau_and_bengio(tmp_path):
    from scipy import stats

    from distillkit.bench.sharing._row_source import RowSource

    rng = np.random.default_rng(0)
    base, gain = rng.normal(0.8, 0.05, 10), rng.normal(0.05, 0.02, 10)
    store = ResultsStore(tmp_path)
    pair = [RowSource(tmp_path, split_rows(values), store) for values in (base, base + gain)]
    (entry,) = compare_results(*pair).table.to_dict("records")
    error = np.sqrt(gain.var(ddof=1) * (1 / 10 + 100 / 300))
    t = gain.mean() / error
    assert entry["difference"] == pytest.approx(gain.mean())
    assert entry["p"] == pytest.approx(2 * stats.t.sf(t, 9))
    assert entry["ci_low"] == pytest.approx(gain.mean() - stats.t.ppf(0.975, 9) * error)
    assert entry["verdict"] == "better"
    (back,) = compare_results(*reversed(pair)).table.to_dict("records")
    assert back["verdict"] == "worse"
    several = [
        RowSource(tmp_path, split_rows(values) | split_rows(values + extra, "gan"), store)
        for values, extra in ((base, 0), (base + gain, rng.normal(0, 0.02, 10)))
    ]
    found = compare_results(*several).table.set_index("method")["p"]
    assert found["kmeans"] == pytest.approx(2 * entry["p"])  # Holm's correction for two tests.


def test_a_published_site_holds_the_rows_and_its_pages(results, tmp_path):
    site = tmp_path / "site"
    outcome = publish(site, [open_source(results)])
    assert (outcome.n_rows, outcome.n_added) == ({"s": 6}, 6)
    source = open_source(site)
    assert source.rows == open_source(results).rows
    lines = (site / "rows" / "s.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == sorted(source.rows)
    assert "first" in (site / "leaderboards" / "s" / "leaderboard.md").read_text()
    assert 'href="leaderboards/s/leaderboard.html"' in (site / "index.html").read_text()
    assert "distillkit verify contribution --base base" in (site / ".github" / "workflows" / "verify.yml").read_text()
    assert not (site / "artefacts").exists()
    assert verify(source, sample=1).holds
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert publish(site, []).n_added == 0
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_publishing_again_adds(results, copy, tmp_path):
    one, two = halves(copy)
    site, at_once = tmp_path / "site", tmp_path / "at_once"
    publish(site, [open_source(one)])
    (site / "README.md").write_text("our own")
    assert publish(site, [open_source(two)], artefacts=True).n_added == 3
    publish(at_once, [open_source(results)])
    for name in ("rows/s.jsonl", "leaderboards/s/leaderboard.md", "suites/s.json"):
        assert (site / name).read_bytes() == (at_once / name).read_bytes()
    assert (site / "README.md").read_text() == "our own"
    assert list((site / "artefacts").glob("*.json"))
    merge([open_source(site)], tmp_path / "back")
    assert open_source(tmp_path / "back").rows == open_source(results).rows


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no JSON object"),
        ('{"key": "a"}', "is missing"),
        ({"status": "fine"}, "the field status is 'fine'"),
        ({"metrics": {"accuracy": "high"}}, "the field metrics"),
        ({"suite": "../../home"}, "the field suite is '../../home', which is no name of a file"),
        ({"data_key": "/etc/x"}, "the field data_key"),
    ],
)
def test_a_contributed_line_is_checked(results, tmp_path, line, words):
    site = tmp_path / "site"
    publish(site, [open_source(results)])
    base = open_source(site)
    path = site / "rows" / "s.jsonl"
    row = rows_in(results, status="ok")[0]
    added = line if isinstance(line, str) else json.dumps(row | {"key": "0123"} | line)
    path.write_text(path.read_text() + added + "\n")
    problems = verify(open_source(site), sample=0, base=base).problems
    assert any(words in problem and "s.jsonl, line 7" in problem for problem in problems)
    with pytest.raises(ResultsError, match="not valid"):
        publish(site, [])


def test_a_contribution_of_another_version_is_refused(results, tmp_path):
    site = tmp_path / "site"
    publish(site, [open_source(results)])
    base = open_source(site)
    row = rows_in(results, status="ok")[0] | {"method_version": 2, "distil_seed": 77}
    row |= cell_keys(row)._asdict()
    with (site / "rows" / "s.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    problems = verify(open_source(site), sample=0, base=base).problems
    assert any("method first version 2 in place of 1" in problem for problem in problems)


def test_the_schema_agrees_with_the_check_of_rows(results):
    validator = pytest.importorskip("jsonschema").Draft202012Validator(row_schema())
    rows = rows_in(results)
    values = [None, 1, 1.5, True, "x", [], ["x"], {}, {"x": 1}, {"codes": "x"}, {"x": None}, {"x": {}}]
    rng = np.random.default_rng(0)
    names = sorted(row_schema()["properties"])
    right = 0
    for _ in range(600):
        row = dict(rows[rng.integers(len(rows))])
        name = names[rng.integers(len(names))]
        row[name] = values[rng.integers(len(values))]
        if rng.random() < 0.1:
            row.pop(name)
        assert validator.is_valid(row) == (wrong_row(row) is None), (name, row.get(name))
        right += validator.is_valid(row)
    assert 100 < right < 550


def test_sources_that_are_none_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "file.txt"):
        with pytest.raises(ResultsError, match="give a results folder, a published site"):
            open_source(path)
    with pytest.raises(ResultsError, match="name results to publish"):
        publish(tmp_path / "new", [])


def test_a_results_folder_is_no_site(results):
    with pytest.raises(ResultsError, match="is a results folder"):
        publish(results, [open_source(results)])


def test_keys_are_found_by_their_beginning(results):
    source = open_source(results)
    with pytest.raises(ResultsError, match=r"6 rows of .* have a key that begins with ''"):
        find_row(source, "")
    with pytest.raises(ResultsError, match="no row of"):
        find_row(source, "zzz")
    key = next(iter(source.rows))
    assert find_row(source, key)["key"] == key
