// The filter bar governs the whole page: every element with data-scope is shown if all that it says of itself passes.

let board = null;
const methodOf = {};

function methodPasses(name) {
  const method = methodOf[name];
  if (!method) return !state.q || name.toLowerCase().includes(state.q.toLowerCase());
  if (state.family && method.family !== state.family) return false;
  if (!state.controls && method.control) return false;
  const words = state.q.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => name.toLowerCase().includes(word));
}

function panelPasses(panel) {
  return (!state.dataset || panel.dataset === state.dataset) && (!state.evaluator || panel.evaluator === state.evaluator) &&
    (!state.labels || panel.labels === state.labels) && (!state.budget || panel.students || panel.budgets.includes(state.budget));
}

function entryPasses(entry) {
  const panel = board.panels[entry.panel];
  return panelPasses(panel) && (!state.budget || entry.budget === state.budget || entry.budget === "-") &&
    methodPasses(board.methods[entry.method].name);
}

function scoreOf(entry) {
  // With one split chosen, the value is that of the split, which has no interval of its own.
  if (!state.split) return entry;
  const mean = entry.splits[state.split];
  return { mean: mean === undefined ? null : mean, low: null, high: null };
}

function scopePasses(scope) {
  return (!scope.dataset || !state.dataset || scope.dataset === state.dataset) &&
    (!scope.budget || !state.budget || scope.budget === state.budget) &&
    (!scope.evaluator || !state.evaluator || scope.evaluator === state.evaluator) &&
    (!scope.labels || !state.labels || scope.labels === state.labels) &&
    (scope.method === undefined || methodPasses(scope.method));
}

function applyScopes() {
  for (const scoped of document.querySelectorAll("[data-scope]")) {
    const panel = scoped.dataset.panel === undefined ? null : board.panels[scoped.dataset.panel];
    scoped.hidden = !scopePasses(scoped.dataset) || (panel !== null && !panelPasses(panel));
  }
  // What holds nothing that passes is hidden as well, the innermost first.
  for (const holder of Array.from(document.querySelectorAll("[data-holder]")).reverse()) {
    if (!holder.hidden) holder.hidden = !holder.querySelector("[data-scope][data-method]:not([hidden])");
  }
  const shown = document.querySelectorAll("#results .panel:not([hidden])").length;
  document.querySelector(".nothing").hidden = shown > 0 || !board.panels.length;
  return shown;
}

function isFiltered() {
  return FILTERS.some((name) => name !== "labels" && state[name]) || Boolean(state.q) || !state.controls;
}

function describeFilters() {
  const chosen = FILTERS.filter((name) => state[name]).map((name) => `${name} ${state[name]}`);
  if (state.q) chosen.push(`names with “${state.q}”`);
  if (!state.controls) chosen.push("without controls");
  return chosen.join(", ");
}

function setUpFilters(changed) {
  const bar = document.getElementById("bar");
  bar.addEventListener("submit", (event) => event.preventDefault());
  for (const select of bar.querySelectorAll("[data-filter]")) {
    select.addEventListener("change", () => { state[select.dataset.filter] = select.value; changed(); });
  }
  const search = document.getElementById("search");
  search.addEventListener("input", () => { state.q = search.value; changed(); });
  const controls = document.getElementById("controls");
  controls.addEventListener("change", () => { state.controls = controls.checked; changed(); });
  for (const button of document.querySelectorAll("[data-reset]")) {
    button.addEventListener("click", () => {
      for (const name of FILTERS) state[name] = "";
      Object.assign(state, { q: "", controls: true });
      showFilters();
      changed();
    });
  }
  if (window.matchMedia("(max-width: 700px)").matches) document.getElementById("bar-fold").open = false;
}

function showFilters() {
  for (const select of document.querySelectorAll("[data-filter]")) {
    select.value = state[select.dataset.filter];
    if (select.value !== state[select.dataset.filter]) state[select.dataset.filter] = select.value = "";
  }
  document.getElementById("search").value = state.q;
  document.getElementById("controls").checked = state.controls;
  for (const name of Object.keys(DEFAULTS)) {
    const box = document.querySelector(`input[name="${name}"][value="${CSS.escape(state[name])}"]`);
    if (box) box.checked = true;
    else state[name] = DEFAULTS[name];
  }
}
