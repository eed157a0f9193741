// Average ranks, win rates and the critical difference of what the filters leave, by the rules of the tables made in Python.

function meanRanks(values) {
  // 1 is the greatest value; ties share the mean of their ranks.
  return values.map((value) => values.filter((other) => other > value).length +
    (values.filter((other) => other === value).length + 1) / 2);
}

function comparisonsOf(task, labels) {
  // One comparison for each panel and budget that passes: the scores of its complete methods, where greater is better.
  const groups = new Map();
  for (const entry of board.entries) {
    const panel = board.panels[entry.panel];
    if (panel.task !== task || panel.labels !== labels || !entryPasses(entry) || entry.place === null) continue;
    const key = `${entry.panel}/${entry.budget}`;
    if (!groups.has(key)) groups.set(key, { dataset: panel.dataset, scores: {} });
    const { mean } = scoreOf(entry);
    groups.get(key).scores[board.methods[entry.method].name] = entry.ranked && mean !== null
      ? (panel.greater ? mean : -mean) : null;
  }
  return [...groups.values()];
}

function overallOf(task, labels) {
  const comparisons = comparisonsOf(task, labels);
  const named = [...new Set(comparisons.flatMap((one) => Object.keys(one.scores)))];
  const isComplete = (name) => comparisons.every((one) => (one.scores[name] ?? null) !== null);
  const methods = named.filter(isComplete), datasets = [...new Set(comparisons.map((one) => one.dataset))];
  const result = { methods, datasets, comparisons: comparisons.length, leftOut: named.filter((name) => !isComplete(name)) };
  if (comparisons.length < 2 || methods.length < 2) return { ...result, rows: [] };
  const average = (lists) => methods.map((_, m) => lists.reduce((sum, list) => sum + list[m], 0) / lists.length);
  const ranks = comparisons.map((one) => meanRanks(methods.map((name) => one.scores[name])));
  const byDataset = datasets.map((name) => average(ranks.filter((_, i) => comparisons[i].dataset === name)));
  const rounded = (value) => Math.round(value * 1e9) / 1e9;
  const datasetRanks = average(byDataset.map((list) => meanRanks(list.map((value) => -rounded(value)))));
  const wins = winRates(comparisons, methods, datasets);
  const averageRanks = average(ranks), count = methods.length;
  const rows = methods.map((name, m) => ({
    name, rank: averageRanks[m], datasetRank: datasetRanks[m], firsts: ranks.filter((list) => list[m] === Math.min(...list)).length,
    winRate: (wins[m].reduce((sum, share) => sum + share, 0) - 0.5) / (count - 1), wins: methods.map((_, other) => wins[m][other]),
  })).sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  return { ...result, rows, ...significance(byDataset, datasetRanks) };
}

function winRates(comparisons, methods, datasets) {
  return methods.map((one) => methods.map((other) => {
    const shares = datasets.map((dataset) => {
      const own = comparisons.filter((each) => each.dataset === dataset);
      const signs = own.map((each) => Math.sign(each.scores[one] - each.scores[other]));
      return (signs.reduce((sum, sign) => sum + sign, 0) / own.length + 1) / 2;
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }));
}

function significance(byDataset, datasetRanks) {
  // Friedman's test with its correction for ties, and Nemenyi's critical difference where it rejects.
  const n = byDataset.length, k = datasetRanks.length, tests = board.tests;
  if (n < tests.least) {
    return { verdict: `Too few datasets for a verdict: ${n} ${n === 1 ? "dataset is" : "datasets are"} fewer than ${tests.least}. The average ranks describe these runs only.` };
  }
  if (k < 3) return { verdict: "Too few methods for a verdict: the Friedman test needs three." };
  const within = byDataset.map((list) => meanRanks(list.map((value) => -Math.round(value * 1e9) / 1e9)));
  const sums = datasetRanks.map((_, m) => within.reduce((sum, list) => sum + list[m], 0));
  let ties = 0;
  for (const list of within) {
    for (const value of new Set(list)) {
      const tied = list.filter((other) => other === value).length;
      ties += tied ** 3 - tied;
    }
  }
  const correction = 1 - ties / (k * (k * k - 1) * n);
  const statistic = (12 / (k * n * (k + 1)) * sums.reduce((sum, value) => sum + value ** 2, 0) - 3 * n * (k + 1)) / correction;
  if (!(correction > 0) || statistic <= tests.friedman[k]) {
    return { verdict: `The Friedman test does not tell the methods apart over ${n} datasets: there is no significant difference (p > 0.05).` };
  }
  const difference = tests.nemenyi[k] / Math.sqrt(n);
  return {
    difference,
    verdict: `The methods differ significantly over ${n} datasets (Friedman test, p < 0.05). Two methods differ significantly if their dataset ranks differ by more than ${difference.toFixed(2)} (Nemenyi test, 95 %).`,
  };
}

function cliques(sorted, difference) {
  // The largest groups of neighbors, in the order of their ranks, that do not differ by the critical difference.
  const found = [];
  sorted.forEach((row, first) => {
    let last = first;
    while (last + 1 < sorted.length && sorted[last + 1].datasetRank - row.datasetRank < difference) last += 1;
    if (last > first && !found.some((group) => group.last >= last)) found.push({ first, last });
  });
  return found;
}

function updateOverall() {
  for (const article of document.querySelectorAll("[data-overall]")) {
    if (article.hidden) continue;
    const found = overallOf(article.dataset.task, article.dataset.labels), filtered = isFiltered();
    const table = article.querySelector(".filtered");
    article.querySelector(".unfiltered").hidden = filtered;
    table.hidden = !filtered;
    if (filtered) table.replaceChildren(...describeOverall(found));
    setChart(article.querySelector(".cd"), found.difference && found.rows.length > 2 ? (size) => differenceSpec(found, size) : null);
    setChart(article.querySelector(".wins"), found.rows.length > 1 ? (size) => winSpec(found, size) : null);
  }
}

function describeOverall(found) {
  if (!found.rows.length) return [element("p", { class: "note" }, "Fewer than two comparisons with two complete methods pass the filters, so there is no overall order.")];
  const best = Math.min(...found.rows.map((row) => row.datasetRank));
  const head = ["method", "average rank", "first in", "win rate", ...(found.difference ? ["dataset rank", "differs from the best"] : [])];
  const rows = found.rows.map((row) => element("tr", {}, element("th", { scope: "row" }, dot(row.name), row.name), ...[
    row.rank.toFixed(2), `${row.firsts}/${found.comparisons}`, row.winRate.toFixed(2),
    ...(found.difference ? [row.datasetRank.toFixed(2), row.datasetRank - best < found.difference ? "no" : "yes"] : []),
  ].map((text) => element("td", { class: "num" }, text))));
  return [
    element("p", { class: "note" }, `Computed from what passes the filters: ${found.comparisons} comparisons on ${found.datasets.length} datasets (${describeFilters()}).`),
    element("table", { class: "small" }, element("caption", { class: "hidden" }, "Average ranks of what passes the filters"),
      element("thead", {}, element("tr", {}, ...head.map((name, i) => element("th", { scope: "col", class: i ? "num" : null }, name)))),
      element("tbody", {}, ...rows)),
    element("p", {}, found.verdict),
    ...(found.leftOut.length ? [element("p", { class: "note" }, `Left out because not complete in every comparison: ${found.leftOut.join(", ")}.`)] : []),
  ];
}
