// Draws charts by Vega-Lite as they come into view, and again when filters or colors change.

const drawn = new Set();
let waiting = new Set();
let watcher = null;
let theme = null;
let focused = null;

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color("ink"), soft: color("soft"), rule: color("rule"), card: color("card"), gray: color("gray"), bad: color("bad"),
    accent: color("accent"), font: style.getPropertyValue("--font").trim(),
    hues: Array.from({ length: 10 }, (_, i) => color(`c${i}`)),
  };
}

function colorOf(name) {
  // Leaders have their own colors, controls are dark, chosen methods take further colors, the others are gray.
  const method = methodOf[name];
  if (method.color !== null) return theme.hues[method.color];
  const chosen = state.chosen.indexOf(name);
  if (chosen >= 0) return theme.hues[5 + chosen % 5];
  return method.control ? theme.ink : theme.gray;
}

const isBright = (name) => methodOf[name].color !== null || methodOf[name].control || state.chosen.includes(name);

function dot(name) {
  const method = methodOf[name] || { color: null };
  const role = method.role === "reference" ? "hollow" : method.control ? "control" : "";
  return element("span", { class: `dot ${role} ${method.color === null ? "" : `s${method.color}`}` });
}

function setChart(holder, make) {
  // `make` returns the specification for a width; without it the chart is taken away.
  if (holder.view) holder.view.finalize();
  holder.view = null;
  holder.make = make;
  holder.hidden = !make || !window.vegaEmbed;
  if (!make) {
    holder.replaceChildren();
    drawn.delete(holder);
    return;
  }
  drawn.add(holder);
  redraw(holder);
}

function redraw(holder) {
  waiting.add(holder);
  if (watcher) {
    watcher.unobserve(holder);
    watcher.observe(holder);
  }
}

async function draw(holder) {
  waiting.delete(holder);
  if (!holder.make || !window.vegaEmbed || !holder.isConnected || !holder.clientWidth) return;
  const ticket = holder.ticket = (holder.ticket || 0) + 1;
  const place = element("div", { class: "vega" });
  const spec = holder.make(Math.floor(holder.clientWidth));
  const result = await window.vegaEmbed(place, { ...spec, config: chartConfig(theme) }, {
    ast: true, renderer: "svg", actions: false, mode: "vega-lite", tooltip: { theme: "custom" },
  });
  if (holder.ticket !== ticket || !holder.make) {
    result.view.finalize();
    return;
  }
  if (holder.view) holder.view.finalize();
  holder.view = result.view;
  result.view.addEventListener("click", (event, item) => {
    if (item && item.datum && item.datum.i !== undefined) openDrawer(item.datum.i);
  });
  holder.replaceChildren(place);
  holder.dataset.drawn = String(ticket);
  if (focused) highlight(focused);
}

function setUpCharts() {
  theme = readTheme();
  watcher = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting && waiting.has(target)) draw(target);
  }, { rootMargin: "300px" });
  for (const holder of drawn) redraw(holder);
  // The charts out of view are drawn one by one while the page rests, so that they are there when it is printed.
  const rest = window.requestIdleCallback || ((run) => setTimeout(run, 60));
  const next = () => {
    const [holder] = waiting;
    if (holder) draw(holder).finally(() => rest(next));
    else setTimeout(() => rest(next), 400);
  };
  setTimeout(() => rest(next), 600);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    for (const holder of drawn) redraw(holder);
    updateCues();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme = readTheme();
    updateCharts();
  });
}

function highlight(name) {
  focused = name;
  for (const holder of drawn) {
    if (holder.view && holder.view.getState().signals.focus !== undefined) holder.view.signal("focus", name || "").runAsync();
  }
}

function updateLegend() {
  const inCharts = new Set(board.entries.filter((entry) => !board.panels[entry.panel].students && entryPasses(entry)).map((entry) => entry.method));
  const items = board.methods.filter((_, i) => inCharts.has(i)).map((method) => {
    const chosen = state.chosen.includes(method.name);
    const mark = dot(method.name);
    if (isBright(method.name)) mark.style.color = colorOf(method.name);
    return element("li", {}, element("button", {
      type: "button", "aria-pressed": String(chosen), "data-legend": method.name, class: isBright(method.name) ? "bright" : "",
      onpointerenter: () => highlight(method.name), onpointerleave: () => highlight(null),
      onfocus: () => highlight(method.name), onblur: () => highlight(null), onclick: () => choose(method.name),
    }, mark, method.name));
  });
  document.getElementById("legend").replaceChildren(...items);
}

function choose(name) {
  state.chosen = state.chosen.includes(name) ? state.chosen.filter((one) => one !== name) : [...state.chosen, name];
  updateCharts();
  saveState();
  const again = document.querySelector(`[data-legend="${CSS.escape(name)}"]`);
  if (again) again.focus();
}

function updateCharts() {
  if (!board.panels.length) return;
  updateLegend();
  const panels = board.panels.map((panel, i) => [panel, i]).filter(([panel]) => !panel.students && panelPasses(panel));
  fill("multiples", panels, (panel, i) => (size) => lineSpec(panel, i, size));
  fill("fronts", panels, (panel, i) => (size) => frontSpec(panel, i, size), (panel, i) => listFront(panel, i));
  updateOverall();
}

function fill(id, panels, make, after = null) {
  const grid = document.getElementById(id);
  for (const old of grid.querySelectorAll(".chart")) setChart(old, null);
  grid.replaceChildren(...panels.map(([panel, i]) => element("figure", {},
    element("figcaption", {}, element("b", {}, panel.title), ` ${panel.metric}${panel.greater ? "" : ", lower is better"}`),
    element("div", { class: "chart" }), after ? after(panel, i) : null)));
  panels.forEach(([panel, i], place) => setChart(grid.children[place].querySelector(".chart"), make(panel, i)));
}
