"use strict";
// Sorts and filters the table of all entries. Without this script the page has the same content, but unsorted.
// The state is kept in the address (#sort=mean:desc&q=kmeans&dataset=digits), so that a view can be linked to.

function compareValues(a, b, direction) {
  // Missing values come last in both directions.
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  const order = typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true, sensitivity: "base" });
  return direction === "desc" ? -order : order;
}

function sortedOrder(values, direction) {
  // Returns the indices in sorted order; equal values keep their order.
  return values.map((_, i) => i).sort((i, j) => compareValues(values[i], values[j], direction) || i - j);
}

function parseState(hash) {
  const state = { sort: "", direction: "asc", filters: {} };
  if (!hash.includes("=")) return state;
  for (const [key, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (key === "sort") {
      const colon = value.lastIndexOf(":");
      state.sort = colon < 0 ? value : value.slice(0, colon);
      state.direction = value.slice(colon + 1) === "desc" ? "desc" : "asc";
    } else {
      state.filters[key] = value;
    }
  }
  return state;
}

function setUp(document, window) {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(body.rows);
  const search = document.getElementById("search");
  const selects = Array.from(document.querySelectorAll("[data-filter]"));
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  let sort = "", direction = "asc";

  function valueOf(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.v === undefined) return cell.textContent.trim();
    return cell.dataset.v === "" ? "" : Number(cell.dataset.v);
  }

  function sortBy(key, newDirection) {
    const column = heads.findIndex((head) => head.dataset.key === key);
    if (column < 0) return;
    sort = key;
    direction = newDirection;
    const order = sortedOrder(rows.map((row) => valueOf(row, column)), direction);
    body.append(...order.map((i) => rows[i]));
    heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", direction === "desc" ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function filterRows() {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let visible = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) &&
        selects.every((select) => !select.value || row.dataset[select.dataset.filter] === select.value));
      visible += row.hidden ? 0 : 1;
    }
    count.textContent = `${visible} of ${rows.length} entries`;
  }

  function saveState() {
    const state = new URLSearchParams();
    if (sort) state.set("sort", `${sort}:${direction}`);
    if (search.value) state.set("q", search.value);
    for (const select of selects) if (select.value) state.set(select.dataset.filter, select.value);
    const text = state.toString();
    window.history.replaceState(null, "", text ? `#${text}` : "#lines");
  }

  heads.forEach((head) => head.querySelector("button").addEventListener("click", () => {
    const same = sort === head.dataset.key;
    const first = head.classList.contains("num") && head.dataset.key !== "rank" ? "desc" : "asc";
    sortBy(head.dataset.key, same ? (direction === "asc" ? "desc" : "asc") : first);
    saveState();
  }));
  search.addEventListener("input", () => { filterRows(); saveState(); });
  selects.forEach((select) => select.addEventListener("change", () => { filterRows(); saveState(); }));
  more.addEventListener("change", () => table.classList.toggle("all-columns", more.checked));
  const form = search.closest("form");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;

  const state = parseState(window.location.hash);
  search.value = state.filters.q || "";
  for (const select of selects) select.value = state.filters[select.dataset.filter] || "";
  if (state.sort) sortBy(state.sort, state.direction);
  filterRows();
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
}

if (typeof document === "undefined") module.exports = { compareValues, sortedOrder, parseState };
else if (document.getElementById("table")) setUp(document, window);
