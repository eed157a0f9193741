// What the reader has chosen. It is kept in the address, as in #dataset=digits&sort=mean:desc&x=bytes, so that every view is a link.

const FILTERS = ["dataset", "budget", "labels", "evaluator", "split", "family"];
const DEFAULTS = { x: "rows", cost: "bytes" };
const state = { q: "", controls: true, sort: "", direction: "asc", columns: null, chosen: [], cell: "", at: "" };

function parseState(hash) {
  const found = { q: "", controls: true, sort: "", direction: "asc", columns: null, chosen: [], cell: "", at: "", ...DEFAULTS };
  for (const name of FILTERS) found[name] = "";
  const text = hash.replace(/^#/, "");
  if (!text.includes("=")) return { ...found, at: decodeURIComponent(text) };
  for (const [key, value] of new URLSearchParams(text)) {
    if (key === "sort") {
      const colon = value.lastIndexOf(":");
      found.sort = colon < 0 ? value : value.slice(0, colon);
      found.direction = value.slice(colon + 1) === "desc" ? "desc" : "asc";
    } else if (key === "controls") found.controls = value !== "off";
    else if (key === "columns") found.columns = value.split(" ").filter(Boolean);
    else if (key === "m") found.chosen.push(value);
    else if (key in found) found[key] = value;
  }
  return found;
}

function formatState(from) {
  const text = new URLSearchParams();
  for (const name of FILTERS) if (from[name]) text.set(name, from[name]);
  if (from.q) text.set("q", from.q);
  if (!from.controls) text.set("controls", "off");
  if (from.sort) text.set("sort", `${from.sort}:${from.direction}`);
  if (from.columns) text.set("columns", from.columns.join(" "));
  for (const [name, value] of Object.entries(DEFAULTS)) if (from[name] !== value) text.set(name, from[name]);
  for (const name of from.chosen) text.append("m", name);
  if (from.cell !== "") text.set("cell", from.cell);
  if (from.at) text.set("at", from.at);
  return text.toString();
}

function saveState() {
  const text = formatState(state);
  window.history.replaceState(null, "", text ? `#${text}` : window.location.pathname + window.location.search);
}

function compareValues(a, b, direction) {
  // Missing values come last in both directions.
  const noA = a === "" || a === null, noB = b === "" || b === null;
  if (noA || noB) return noA && noB ? 0 : noA ? 1 : -1;
  const order = typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true, sensitivity: "base" });
  return direction === "desc" ? -order : order;
}

function sortedOrder(values, direction) {
  // Returns the indices in sorted order; equal values keep their order.
  return values.map((_, i) => i).sort((i, j) => compareValues(values[i], values[j], direction) || i - j);
}
