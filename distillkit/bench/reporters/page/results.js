// The tables of results: values of one split, intervals and floors at the pointer, arrow keys, and cues where tables scroll.

const fixed = (value, places) => {
  const text = value.toFixed(places);
  return Number(text) === 0 ? text.replace("-", "") : text;
};

function updateCells() {
  const note = document.getElementById("split-note");
  note.hidden = !state.split;
  note.textContent = state.split
    ? `Only split ${state.split} is shown: values of one split have no intervals, and the places are by value alone.` : "";
  const places = state.split ? placesBySplit() : null;
  for (const cell of document.querySelectorAll("#results .cell")) {
    const entry = board.entries[cell.dataset.entry];
    if (!cell.original) cell.original = Array.from(cell.childNodes);
    cell.closest("td").classList.toggle("one-split", Boolean(state.split));
    if (!state.split) {
      if (cell.changed) cell.replaceChildren(...cell.original);
      cell.changed = false;
      continue;
    }
    cell.changed = true;
    const { mean } = scoreOf(entry);
    const place = places.get(Number(cell.dataset.entry));
    cell.replaceChildren(...(mean === null
      ? [`no split ${state.split}`]
      : [...(place ? [element("span", { class: "rank" }, `(${place})`), " "] : []), fixed(mean, board.panels[entry.panel].places)]));
  }
}

function placesBySplit() {
  // The place of each ranked entry by the value of the chosen split, among those of its panel and budget.
  const groups = new Map();
  board.entries.forEach((entry, i) => {
    const mean = entry.splits[state.split];
    if (entry.reference || entry.place === null || mean === undefined) return;
    const key = `${entry.panel}/${entry.budget}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push([i, board.panels[entry.panel].greater ? mean : -mean]);
  });
  const places = new Map();
  for (const group of groups.values()) {
    for (const [i, value] of group) places.set(i, 1 + group.filter(([, other]) => other > value).length);
  }
  return places;
}

function floorsOf(entry) {
  // The values of the control and of the references beside an entry: what it has to be judged by.
  const same = (other) => other.panel === entry.panel && (other.budget === entry.budget || other.budget === "-");
  return board.entries.filter((other) => other !== entry && same(other) &&
    (other.reference || board.methods[other.method].role === "control"));
}

function inWords(entry) {
  const panel = board.panels[entry.panel], { mean, low, high } = scoreOf(entry);
  if (mean === null) return entry.why || "no value";
  const interval = low === null ? "no interval" : `95 % interval ${fixed(low, panel.places)} to ${fixed(high, panel.places)}`;
  const floors = floorsOf(entry).filter((other) => scoreOf(other).mean !== null)
    .map((other) => `${board.methods[other.method].name} ${fixed(scoreOf(other).mean, panel.places)}`);
  return [`${panel.metric} ${fixed(mean, panel.places)}, ${interval}`, ...floors].join("; ");
}

function setUpResults() {
  const results = document.getElementById("results");
  const explain = (event) => {
    const cell = event.target.closest(".cell");
    if (cell) cell.title = inWords(board.entries[cell.dataset.entry]);
  };
  results.addEventListener("pointerover", explain);
  results.addEventListener("focusin", explain);
  for (const table of results.querySelectorAll("table.scores")) setUpArrows(table);
}

function setUpArrows(table) {
  // One cell of each table is in the order of the Tab key; the arrow keys lead to the others.
  const rows = () => Array.from(table.tBodies[0].rows).filter((row) => !row.hidden)
    .map((row) => Array.from(row.querySelectorAll("td:not([hidden]) .cell"))).filter((row) => row.length);
  const enter = (cell) => {
    for (const other of table.querySelectorAll(".cell")) other.tabIndex = other === cell ? 0 : -1;
  };
  table.refresh = () => { if (rows().length) enter(rows()[0][0]); };
  table.refresh();
  table.addEventListener("focusin", (event) => { if (event.target.matches(".cell")) enter(event.target); });
  table.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const grid = rows(), move = moves[event.key], at = grid.findIndex((row) => row.includes(event.target));
    if (!move || at < 0) return;
    const column = grid[at].indexOf(event.target) + move[1];
    const row = grid[at + move[0]];
    const next = row && row[Math.min(column, row.length - 1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

function updateCues() {
  for (const frame of document.querySelectorAll(".framed")) {
    const scroll = frame.querySelector(".scroll"), cue = frame.querySelector(".cue");
    const hiddenPixels = scroll.scrollWidth - scroll.clientWidth;
    const wide = hiddenPixels > 1;
    frame.classList.toggle("more-right", wide && scroll.scrollLeft < hiddenPixels - 1);
    frame.classList.toggle("more-left", wide && scroll.scrollLeft > 1);
    cue.hidden = !wide;
    if (wide) cue.textContent = "⟷ This table is wider than the page: scroll it sideways.";
  }
}
