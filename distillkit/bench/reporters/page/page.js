// Starts the page: reads its data and the address, and joins the parts.

let pending = null;

function refresh(words = true) {
  shownRows = PAGE;
  const panels = applyScopes();
  updateCells();
  updateTable();
  showColumns();
  updateCharts();
  updateCues();
  for (const table of document.querySelectorAll("table.scores")) if (table.refresh) table.refresh();
  const count = FILTERS.filter((name) => state[name]).length + (state.q ? 1 : 0) + (state.controls ? 0 : 1);
  document.getElementById("bar-state").textContent = count ? `(${describeFilters()})` : "";
  const entries = board.entries.filter(entryPasses).length;
  if (words) say(`${entries} of ${board.entries.length} entries in ${panels} tables pass the filters.`);
}

function changed() {
  saveState();
  window.clearTimeout(pending);
  pending = window.setTimeout(() => refresh(), 60);
}

function restore() {
  Object.assign(state, parseState(window.location.hash));
  state.chosen = state.chosen.filter((name) => methodOf[name]);
  showFilters();
  refresh(false);
  const target = state.at && document.getElementById(state.at);
  if (target) target.scrollIntoView();
  if (state.cell !== "" && board.entries[state.cell]) openDrawer(state.cell);
}

async function start() {
  if (!window.DecompressionStream) {
    document.documentElement.classList.remove("js");
    return;
  }
  board = JSON.parse(await unpack("payload"));
  for (const method of board.methods) methodOf[method.name] = method;
  theme = readTheme();
  setUpFilters(changed);
  setUpResults();
  setUpTable();
  setUpDrawer();
  for (const name of Object.keys(DEFAULTS)) {
    for (const box of document.querySelectorAll(`input[name="${name}"]`)) {
      box.addEventListener("change", () => { state[name] = box.value; changed(); });
    }
  }
  // Links to sections keep the filters in the address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target) return;
    event.preventDefault();
    state.at = target.id;
    saveState();
    target.scrollIntoView();
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
  });
  restore();
  window.addEventListener("hashchange", restore);
  for (const scroll of document.querySelectorAll(".scroll")) scroll.addEventListener("scroll", updateCues, { passive: true });
  document.addEventListener("toggle", updateCues, true);
  window.addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach((fold) => { fold.open = true; }));
  document.documentElement.dataset.ready = "tables";
  const library = await unpack("library");
  if (library) {
    const script = document.createElement("script");
    script.textContent = library;
    document.head.append(script);
  }
  if (window.vegaEmbed) {
    setUpCharts();
    updateCharts();
  } else if (document.getElementById("no-charts")) {
    document.getElementById("no-charts").hidden = false;
    for (const place of document.querySelectorAll("#pareto, .overall-charts, #charts .choose, #legend")) place.hidden = true;
  }
  // The charts take room above what the address names.
  const target = state.at && document.getElementById(state.at);
  if (target) target.scrollIntoView();
  document.documentElement.dataset.ready = "charts";
}

start();
