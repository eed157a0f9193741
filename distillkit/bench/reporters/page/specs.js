// The specifications of the charts, in Vega-Lite.

const AXES = {
  rows: { title: "distilled rows (log scale)", format: "~s" },
  bytes: { title: "bytes of the distilled set (log scale)", format: "~s" },
  seconds: { title: "seconds of distillation (log scale)", format: "~g" },
};
const PRIVACY = ["pass", "warn", "unknown", "fail"];
const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross"];

function chartConfig(colors) {
  return {
    background: "transparent", font: colors.font,
    view: { stroke: null },
    axis: {
      gridColor: colors.rule, domainColor: colors.soft, tickColor: colors.soft, labelColor: colors.soft, titleColor: colors.soft,
      titleFontWeight: "normal", labelFontSize: 11, titleFontSize: 12, labelOverlap: "greedy", labelLimit: 190,
    },
    legend: { labelColor: colors.soft, titleColor: colors.soft },
    text: { color: colors.ink, font: colors.font },
  };
}

function pointsOf(i, cost) {
  // The entries of a panel that pass the filters and have both a score and the cost.
  const panel = board.panels[i];
  return board.entries.map((entry, place) => [entry, place])
    .filter(([entry]) => entry.panel === i && entryPasses(entry) && scoreOf(entry).mean !== null)
    .map(([entry, place]) => {
      const name = board.methods[entry.method].name, { mean, low, high } = scoreOf(entry);
      const bright = isBright(name), color = colorOf(name);
      return {
        i: place, m: name, y: mean, low, high, reference: entry.reference, bright, color, hue: bright ? color : theme.ink,
        x: cost === "privacy" ? entry.privacy : entry[cost] === null ? null : Math.max(entry[cost], 1e-4),
        shape: SHAPES[(methodOf[name].color ?? 0) % SHAPES.length], title: `${name}, ${entry.reference ? "fixed size" : `budget ${entry.budget}`}`,
        score: `${fixed(mean, panel.places)}${low === null ? "" : `  (95 % interval ${fixed(low, panel.places)} to ${fixed(high, panel.places)})`}`,
        cost: entry[cost] === null ? "—" : cost === "privacy" ? entry.privacy : Number(entry[cost].toPrecision(3)).toLocaleString("en"),
        rank: entry.rank,
      };
    });
}

function scoreRange(points) {
  // All means, and the intervals as far as they extend their range by at most half on either side.
  const means = points.map((point) => point.y);
  let low = Math.min(...means), high = Math.max(...means);
  const span = Math.max(high - low, 0.02 * Math.max(Math.abs(low), Math.abs(high)), 1e-9);
  const ends = points.filter((point) => point.bright && point.low !== null).flatMap((point) => [point.low, point.high]);
  low = Math.max(Math.min(low, ...ends), low - span / 2);
  high = Math.min(Math.max(high, ...ends), high + span / 2);
  const margin = 0.05 * (high - low || span);
  return [low - margin, high + margin];
}

const lit = { or: [{ param: "hover", empty: false }, "datum.m === focus"] };
const tooltip = (cost) => [
  { field: "title", title: "method" }, { field: "score", title: "score" }, { field: "rank", title: "rank" }, { field: "cost", title: cost },
];
const score = (panel, range) => ({
  field: "y", type: "quantitative", title: panel.metric, scale: { domain: range, zero: false, nice: false }, axis: { tickCount: 5 },
});

function sizeAxis(points, axis) {
  // Sets of nearly one size would have an axis with marks too fine to read.
  const values = points.map((point) => point.x), low = Math.min(...values), high = Math.max(...values);
  const scale = high / low < 1.6 ? { domain: [low / 2, high * 2] } : { padding: 12 };
  return { field: "x", type: "quantitative", title: axis.title, scale: { type: "log", nice: false, ...scale }, axis: { format: axis.format, grid: false, tickCount: 4 } };
}

function frame(panel, words, width) {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json", width, height: 230, autosize: { type: "fit", contains: "padding" },
    description: `${words}, ${panel.title}`,
  };
}

function noMarks(panel, words, width) {
  return { ...frame(panel, words, width), height: 40, data: { values: [{}] }, mark: { type: "text", text: words, color: theme.soft } };
}

function lineSpec(panel, i, width) {
  const all = pointsOf(i, state.x), points = all.filter((point) => !point.reference && point.x !== null);
  const references = all.filter((point) => point.reference), axis = AXES[state.x];
  if (!points.length && !references.length) return noMarks(panel, "No set has a score.", width);
  // Methods stand slightly apart, so that their intervals do not cover each other.
  const names = [...new Set(points.filter((point) => point.bright).map((point) => point.m))];
  const spread = Math.log(Math.max(...points.map((point) => point.x)) / Math.min(...points.map((point) => point.x)) || 2) || 1;
  for (const point of points) {
    if (point.bright) point.x *= Math.exp(0.012 * spread * (names.indexOf(point.m) - (names.length - 1) / 2));
  }
  const range = scoreRange(all), x = sizeAxis(points, axis);
  const y = score(panel, range), color = { condition: { test: lit, field: "hue", type: "nominal", scale: null }, field: "color", type: "nominal", scale: null };
  const faint = (value, strong) => ({ condition: [{ test: lit, value: strong }, { test: "datum.bright", value: strong }], value });
  const published = board.published.filter((one) => one.panel === i && !state.split).map((one) => {
    const own = points.find((point) => point.m === one.method && board.entries[point.i].budget === one.budget);
    return own && { x: own.x, y: one.value, title: one.words, color: own.color, m: own.m };
  }).filter(Boolean);
  return {
    ...frame(panel, `${panel.metric} against ${state.x} with 95 % intervals: lines by method, the leading ones and the controls in color`, width),
    params: [{ name: "focus", value: "" }],
    layer: [
      { data: { values: references }, mark: { type: "rule", strokeDash: [5, 4], clip: true, aria: false }, encoding: { y, color: { field: "hue", type: "nominal", scale: null }, size: { condition: { test: "datum.m === focus", value: 3 }, value: 1.4 }, tooltip: tooltip(state.x) } },
      { data: { values: points }, mark: { type: "line", clip: true, aria: false }, encoding: { x, y, detail: { field: "m" }, color, opacity: faint(0.4, 1), strokeWidth: { condition: [{ test: lit, value: 3 }, { test: "datum.bright", value: 2 }], value: 1 } } },
      { data: { values: points.filter((point) => point.low !== null) }, mark: { type: "rule", clip: true, aria: false }, encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color, opacity: faint(0, 0.8), strokeWidth: { value: 1.3 } } },
      {
        data: { values: points }, params: [{ name: "hover", select: { type: "point", fields: ["m"], on: "pointerover", clear: "pointerout" } }],
        mark: { type: "point", filled: true, clip: true, cursor: "pointer", opacity: 1 },
        encoding: { x, y, color, shape: { field: "shape", type: "nominal", scale: null }, opacity: faint(0.55, 1), size: { condition: [{ test: lit, value: 75 }, { test: "datum.bright", value: 48 }], value: 24 }, tooltip: tooltip(state.x), description: { field: "title" } },
      },
      { data: { values: published }, mark: { type: "point", shape: "diamond", size: 90, filled: false, strokeWidth: 1.6, clip: true }, encoding: { x, y, color: { field: "color", type: "nominal", scale: null }, tooltip: [{ field: "title", title: " " }], description: { field: "title" } } },
    ].filter((layer) => layer.data.values.length),
  };
}

function frontOf(i) {
  const panel = board.panels[i], sign = panel.greater ? 1 : -1;
  const cost = (point) => state.cost === "privacy" ? PRIVACY.indexOf(point.x) : point.x;
  const points = pointsOf(i, state.cost).filter((point) => !point.reference && point.x !== null && point.x !== "");
  const beats = (a, b) => cost(a) <= cost(b) && sign * a.y >= sign * b.y && (cost(a) < cost(b) || sign * a.y > sign * b.y);
  for (const point of points) point.front = !points.some((other) => beats(other, point));
  return points.sort((a, b) => cost(a) - cost(b) || sign * (a.y - b.y));
}

function frontSpec(panel, i, width) {
  const points = frontOf(i);
  if (!points.length) return noMarks(panel, "No set has a score and this cost.", width);
  const ordinal = state.cost === "privacy";
  const x = ordinal
    ? { field: "x", type: "ordinal", title: "verdict of the privacy panel", scale: { domain: PRIVACY }, axis: { labelAngle: 0 } }
    : sizeAxis(points, AXES[state.cost]);
  const y = score(panel, scoreRange(points));
  return {
    ...frame(panel, `Pareto front of ${panel.metric} and ${state.cost}`, width),
    params: [{ name: "focus", value: "" }],
    layer: [
      ...(ordinal ? [] : [{ data: { values: points.filter((point) => point.front) }, mark: { type: "line", interpolate: "step-after", color: theme.soft, strokeWidth: 1.4, clip: true, aria: false }, encoding: { x, y } }]),
      {
        data: { values: points }, mark: { type: "point", filled: true, clip: true, cursor: "pointer" },
        encoding: {
          x, y, shape: { field: "shape", type: "nominal", scale: null }, tooltip: tooltip(state.cost), description: { field: "title" },
          color: { condition: [{ test: "datum.m === focus || datum.front", field: "hue", type: "nominal", scale: null }], value: theme.gray },
          opacity: { condition: [{ test: "datum.m === focus || datum.front", value: 1 }], value: 0.45 },
          size: { condition: [{ test: "datum.m === focus", value: 110 }, { test: "datum.front", value: 75 }], value: 24 },
        },
      },
    ],
  };
}

function listFront(panel, i) {
  const front = frontOf(i).filter((point) => point.front);
  return element("ul", { class: "front", "aria-label": `Sets on the front, ${panel.title}` }, ...front.map((point) => {
    const open = element("button", { type: "button", class: "plain", "data-entry": point.i, title: point.score }, point.title.replace(", budget", " at"));
    return element("li", {}, open, ` ${fixed(point.y, panel.places)}`);
  }));
}

function winSpec(found, width) {
  const names = found.rows.map((row) => row.name), places = found.rows.map((row) => found.methods.indexOf(row.name));
  const values = found.rows.flatMap((row) => names.map((other, j) => ({ row: row.name, column: other, share: row.name === other ? null : row.wins[places[j]] })));
  const step = Math.max(14, Math.min(34, Math.floor((width - 170) / names.length)));
  const axis = (title) => ({ title, labelLimit: 130, domain: false, ticks: false, labelOverlap: false });
  const base = {
    x: { field: "column", type: "nominal", sort: names, axis: { ...axis(null), orient: "top", labelAngle: -50 } },
    y: { field: "row", type: "nominal", sort: names, axis: axis(null) },
    tooltip: [{ field: "row", title: "better" }, { field: "column", title: "than" }, { field: "share", title: "in this share of the comparisons", format: ".2f" }],
  };
  const cells = { ...base, color: { field: "share", type: "quantitative", legend: { title: "win rate", format: ".1f", gradientLength: 120 }, scale: { domain: [0, 0.5, 1], range: [theme.bad, theme.card, theme.hues[0]] } } };
  const text = { ...base, text: { field: "share", format: ".1f" }, color: { condition: { test: "datum.share > 0.75 || datum.share < 0.25", value: theme.card }, value: theme.ink } };
  return {
    width: { step }, height: { step: Math.max(14, Math.min(24, step)) },
    description: `Win rates of ${names.length} methods: share of the comparisons in which the method of the row is better than that of the column`,
    title: { text: "Win rates: row better than column", color: theme.ink, anchor: "start", fontWeight: "normal", fontSize: 13 },
    data: { values: values.filter((value) => value.share !== null) },
    layer: [{ mark: { type: "rect", stroke: theme.rule, strokeWidth: 0.5 }, encoding: cells }, ...(step >= 24 ? [{ mark: { type: "text", fontSize: 10, aria: false }, encoding: text }] : [])],
  };
}

function differenceSpec(found, width) {
  const sorted = [...found.rows].sort((a, b) => a.datasetRank - b.datasetRank || (a.name < b.name ? -1 : 1));
  const most = Math.max(...sorted.map((row) => row.datasetRank)), names = sorted.map((row) => row.name);
  const rows = sorted.map((row) => ({ m: row.name, x: row.datasetRank, color: colorOf(row.name), rank: row.datasetRank.toFixed(2) }));
  const bars = cliques(sorted, found.difference).map((group, i) => ({ from: names[group.first], to: names[group.last], x: most + 0.35 + i * 0.03 * most }));
  const y = { field: "m", type: "nominal", sort: names, title: null, axis: { ticks: false, domain: false, labelOverlap: false, grid: true } };
  const end = most + 0.5 + bars.length * 0.03 * most;
  const x = { field: "x", type: "quantitative", title: "mean rank over datasets (1 is best)", scale: { domain: [Math.min(1, sorted[0].datasetRank), end], nice: false }, axis: { grid: false } };
  const whisker = [{ m: names[0], x: sorted[0].datasetRank, x2: sorted[0].datasetRank + found.difference, words: `critical difference ${found.difference.toFixed(2)}` }];
  const domain = { scale: { domain: names } };
  return {
    width: Math.min(width, 620), height: 17 * names.length + 70, autosize: { type: "fit", contains: "padding" },
    description: `Critical-difference diagram: mean ranks of ${names.length} methods over ${found.datasets.length} datasets; vertical bars join methods that do not differ significantly`,
    title: { text: `Critical difference ${found.difference.toFixed(2)}: methods joined by a bar do not differ significantly`, color: theme.ink, anchor: "start", fontWeight: "normal", fontSize: 13 },
    layer: [
      { data: { values: rows }, mark: { type: "point", filled: true, size: 60, opacity: 1 }, encoding: { x, y, color: { field: "color", type: "nominal", scale: null }, tooltip: [{ field: "m", title: "method" }, { field: "rank", title: "mean rank" }], description: { field: "m" } } },
      { data: { values: whisker }, mark: { type: "rule", strokeWidth: 2, color: theme.soft, aria: false }, encoding: { x, x2: { field: "x2" }, y: { ...y, ...domain }, tooltip: { field: "words" } } },
      { data: { values: bars }, mark: { type: "rule", strokeWidth: 4, strokeCap: "round", color: theme.ink, aria: false }, encoding: { x, y: { ...y, ...domain, field: "from" }, y2: { field: "to" } } },
    ].filter((layer) => layer.data.values.length),
  };
}

function curveSpec(plot, width) {
  // A line is broken where a value is missing; what stands alone between two gaps is a dot.
  const values = Object.entries(plot.curves).flatMap(([seed, points]) => {
    let piece = 0;
    return points.flatMap((point) => {
      if (point === null) { piece += 1; return []; }
      return [{ seed: `seed ${seed}`, piece: `${seed}/${piece}`, x: point[0], y: point[1] }];
    });
  });
  const sizes = {};
  for (const value of values) sizes[value.piece] = (sizes[value.piece] || 0) + 1;
  const x = { field: "x", type: "quantitative", title: plot.axis, scale: { nice: false, zero: false }, axis: { tickCount: 5, grid: false } };
  const y = { field: "y", type: "quantitative", title: plot.log ? `${plot.title} (log)` : plot.title, scale: { type: plot.log ? "log" : "linear", zero: false, nice: false }, axis: { tickCount: 5, format: plot.log ? "~g" : undefined } };
  const color = { value: theme.hues[0] }, shown = [{ field: "seed" }, { field: "x", title: plot.axis }, { field: "y", title: plot.title }];
  return {
    width, height: 190, autosize: { type: "fit", contains: "padding" }, params: [],
    description: `${plot.title} against ${plot.axis}, ${plot.method} on ${plot.dataset}, ${plot.budget === "-" ? "fixed size" : `budget ${plot.budget}`}: ${plot.words}`,
    layer: [
      { data: { values }, mark: { type: "line", strokeWidth: 1.3, opacity: 0.8, aria: false }, encoding: { x, y, color, detail: { field: "piece" } } },
      { data: { values: values.filter((value) => sizes[value.piece] === 1) }, mark: { type: "point", filled: true, size: 20, aria: false }, encoding: { x, y, color, tooltip: shown } },
    ].filter((layer) => layer.data.values.length),
  };
}
