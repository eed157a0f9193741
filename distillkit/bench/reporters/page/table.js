// The table of all entries: sorting, the choice of columns, and export.

const PAGE = 150;
let shownRows = PAGE;

const tableColumns = () => board.columns.filter((column) => state.columns ? state.columns.includes(column.key) : !column.extra);
const sortValue = (cell) => Array.isArray(cell) ? cell[0] : cell;
const shownText = (cell) => Array.isArray(cell) ? cell[1] : cell;

function tableEntries() {
  const passing = board.entries.map((_, i) => i).filter((i) => entryPasses(board.entries[i]));
  const column = board.columns.findIndex((one) => one.key === state.sort);
  if (column < 0) return passing;
  return sortedOrder(passing.map((i) => sortValue(cellOf(i, column))), state.direction).map((place) => passing[place]);
}

function cellOf(i, column) {
  const key = board.columns[column].key;
  if (!state.split || !["mean", "half", "rank", "ranks"].includes(key)) return board.table[i][column];
  const { mean } = scoreOf(board.entries[i]);
  return key === "mean" ? [mean, mean === null ? "—" : fixed(mean, 3)] : key === "ranks" ? "" : [null, "—"];
}

function updateTable() {
  const table = document.getElementById("table"), columns = tableColumns(), order = tableEntries();
  const places = columns.map((column) => board.columns.indexOf(column));
  const method = columns.findIndex((column) => column.key === "method");
  table.tHead.rows[0].replaceChildren(...columns.map((column) => element("th", {
    scope: "col", "data-key": column.key, class: `${column.numeric ? "num" : ""}${column.key === "method" ? " sticky" : ""}`,
    title: column.help || null,
    "aria-sort": column.key === state.sort ? (state.direction === "desc" ? "descending" : "ascending") : null,
  }, element("button", { type: "button", onclick: () => sortBy(column) }, column.label))));
  const rows = order.slice(0, shownRows).map((i) => {
    const entry = board.entries[i], cells = board.table[i];
    return element("tr", { class: entry.reference ? "reference" : "", "data-row": i }, ...columns.map((column, c) => {
      const cell = cellOf(i, places[c]);
      const kind = `${column.numeric ? "num" : ""}${column.key === "mean" && entry.tied && !state.split ? " best" : ""}`;
      if (c === method) {
        const open = element("button", { type: "button", class: "cell", "data-entry": i }, shownText(cells[places[c]]));
        return element("th", { scope: "row", class: "sticky" }, open);
      }
      return element("td", { class: kind }, shownText(cell));
    }));
  });
  table.tBodies[0].replaceChildren(...rows);
  document.getElementById("count").textContent = `${order.length} of ${board.entries.length} entries`;
  const rest = document.getElementById("rest");
  rest.hidden = order.length <= shownRows;
  rest.textContent = `Show all ${order.length.toLocaleString("en")} entries (${Math.min(shownRows, order.length)} are shown)`;
}

function sortBy(column) {
  const same = state.sort === column.key;
  const first = column.numeric && column.key !== "rank" ? "desc" : "asc";
  Object.assign(state, { sort: column.key, direction: same ? (state.direction === "asc" ? "desc" : "asc") : first });
  updateTable();
  updateCues();
  saveState();
  say(`Sorted by ${column.label}, ${state.direction === "desc" ? "descending" : "ascending"}.`);
  const head = document.querySelector(`#table th[data-key="${CSS.escape(column.key)}"] button`);
  if (head) head.focus({ preventScroll: true });
}

function asCsv() {
  const quote = (text) => /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  const columns = tableColumns(), places = columns.map((column) => board.columns.indexOf(column));
  const lines = tableEntries().map((i) => places.map((place) => {
    const value = sortValue(cellOf(i, place));
    return quote(value === null ? "" : String(value));
  }));
  return [columns.map((column) => quote(column.key)), ...lines].map((line) => line.join(",") + "\n").join("");
}

function setUpTable() {
  const chooser = document.getElementById("columns");
  for (const column of board.columns) {
    const box = element("input", { type: "checkbox", value: column.key });
    box.disabled = column.key === "method";
    box.addEventListener("change", () => {
      state.columns = Array.from(chooser.querySelectorAll("input:checked"), (one) => one.value);
      updateTable();
      updateCues();
      saveState();
    });
    chooser.append(element("label", { title: column.help || null }, box, ` ${column.label}`));
  }
  document.getElementById("export").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([asCsv()], { type: "text/csv" }));
    element("a", { href: address, download: `${board.title.replace(/[^\w.-]+/g, "-")}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    say(`${tableEntries().length} entries were exported as CSV.`);
  });
  document.getElementById("rest").addEventListener("click", () => {
    shownRows = Infinity;
    updateTable();
  });
}

function showColumns() {
  const shown = new Set(tableColumns().map((column) => column.key));
  for (const box of document.querySelectorAll("#columns input")) box.checked = shown.has(box.value);
}
