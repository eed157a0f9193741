// The drawer: everything that is behind one number.

let details = null;
let opener = null;

async function openDrawer(place) {
  const entry = board.entries[place];
  if (!entry) return;
  const drawer = document.getElementById("drawer"), name = board.methods[entry.method].name, panel = board.panels[entry.panel];
  if (!drawer.open) opener = document.activeElement;
  if (details === null) details = JSON.parse(await unpack("details"));
  const size = entry.budget === "-" ? "" : `, budget ${entry.budget}`;
  document.getElementById("drawer-title").textContent = `${name}${size} on ${panel.title}`;
  const body = document.getElementById("drawer-body");
  for (const old of body.querySelectorAll(".chart")) setChart(old, null);
  body.replaceChildren(...drawerParts(Number(place), entry, panel, name).filter(Boolean));
  state.cell = String(place);
  saveState();
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = 0;
  document.getElementById("drawer-title").focus();
  for (const holder of body.querySelectorAll(".chart")) draw(holder);
}

function drawerParts(place, entry, panel, name) {
  const own = details.entries[place];
  const plots = details.curves.filter((plot) => plot.dataset === panel.dataset && plot.method === name && plot.budget === entry.budget);
  return [
    summary(entry, panel),
    own && own.runs.length ? command(own) : null,
    own && own.errors.length ? part("Errors", ...own.errors.map((text) => element("pre", { tabindex: 0 }, text))) : null,
    distilledRows(panel.dataset, name, entry.budget),
    plots.length && window.vegaEmbed ? part("Training history", element("p", { class: "note" }, "Computed on training rows only, one line for each distillation seed. A falling loss shows that the optimization works, but not that models learn more from the distilled rows."),
      ...plots.map((plot) => {
        const holder = element("div", { class: "chart" });
        setChart(holder, (width) => curveSpec(plot, width));
        return element("figure", {}, element("figcaption", {}, element("b", {}, plot.title), ` ${plot.words}`), holder);
      })) : null,
    floors(place),
    privacy(entry, own),
    own ? part("Parameters", ...Object.entries(own.parameters).map(([what, values]) => pairs(values, what)),
      Object.keys(own.parameters).length ? null : element("p", {}, "Every parameter has its default.")) : null,
    own && Object.keys(own.data).length ? part("Data and their preparation", pairs(own.data)) : null,
    own ? runs(own, panel) : element("p", { class: "note" }, "No cell of this entry is done."),
    allNumbers(place),
    own ? part("Provenance and versions", pairs({ ...own.provenance, ...(own.metrics ? { "metrics@version": own.metrics } : {}), ...(own.environment ? { environment: own.environment } : {}) }),
      environment(own.environment)) : null,
  ];
}

const part = (title, ...children) => element("section", { class: "part" }, element("h3", {}, title), ...children.filter(Boolean));

function pairs(values, caption = "") {
  const rows = Object.entries(values).map(([key, value]) => element("div", {}, element("dt", {}, key), element("dd", {}, String(value))));
  return element("div", {}, caption ? element("h4", {}, caption) : null, element("dl", { class: "help" }, ...rows));
}

function plainTable(caption, head, rows, numeric = []) {
  const line = (cells) => element("tr", {}, ...cells.map((cell, i) => i ? element("td", { class: numeric.includes(i) ? "num" : null }, cell) : element("th", { scope: "row" }, cell)));
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, element("table", { class: "small" }, element("caption", { class: "hidden" }, caption),
    element("thead", {}, element("tr", {}, ...head.map((name, i) => element("th", { scope: "col", class: numeric.includes(i) ? "num" : null }, name)))),
    element("tbody", {}, ...rows.map(line))));
}

function summary(entry, panel) {
  const { mean, low, high } = scoreOf(entry);
  if (mean === null) return element("p", { class: "figure" }, entry.why || "no value");
  const interval = low === null ? "no interval" : `95 % interval ${fixed(low, panel.places)} to ${fixed(high, panel.places)}`;
  const others = floorsOf(entry).filter((other) => scoreOf(other).mean !== null).map((other) => {
    const own = scoreOf(other);
    const range = own.low === null ? "" : ` [${fixed(own.low, panel.places)}, ${fixed(own.high, panel.places)}]`;
    return `${board.methods[other.method].name} ${fixed(own.mean, panel.places)}${range}`;
  });
  return element("div", {},
    element("p", { class: "figure" }, element("b", {}, fixed(mean, panel.places)), ` ${panel.metric}${state.split ? ` of split ${state.split}` : ""}, ${interval}${entry.rank && !state.split ? `, rank ${entry.rank}` : ""}`),
    others.length ? element("p", { class: "note" }, `Beside it: ${others.join("; ")}.`) : null);
}

function command(own) {
  const text = (key) => [...details.command.slice(0, 2), key, ...details.command.slice(2)].join(" ");
  const code = element("code", { id: "command" }, text(own.runs[0][0]));
  const copy = element("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      say("The command was copied.");
    } catch {
      window.getSelection().selectAllChildren(code);
      say("The command is selected.");
    }
  } }, "Copy");
  own.show = (key) => { code.textContent = text(key); };
  return part("Reproduce", element("p", { class: "command" }, code, " ", copy),
    element("p", { class: "note" }, "The second argument is the folder of these results, wherever it lies. Choose another run below to see its command."));
}

function runs(own, panel) {
  const rows = own.runs.map((run) => {
    const [key, split, seed, evaluation, status, value, distil, train, phase, error] = run;
    const choose = element("button", { type: "button", class: "plain", "aria-label": `Show the command of run ${key}`, onclick: () => { own.show(key); document.getElementById("command").scrollIntoView({ block: "center" }); } }, key);
    const seconds = (number) => number === null ? "—" : `${Number(number.toPrecision(2))} s`;
    return [choose, split === null ? "own" : String(split), String(seed), String(evaluation), status.replace("_", " ") + (phase ? ` in ${phase}` : "") + (error === null ? "" : ` (error ${error + 1})`),
      value === null ? "—" : fixed(value, Math.max(panel.places, 3)), seconds(distil), seconds(train)];
  });
  return part(`Runs (${own.runs.length})`, plainTable("Runs", ["key", "split", "seed", "evaluation seed", "status", panel.metric, "distil", "train"], rows, [1, 2, 3, 5, 6, 7]));
}

function floors(place) {
  // Distribution metrics beside the same metric of random and of held-out training rows.
  const at = Object.fromEntries(board.columns.map((column, i) => [column.key, i]));
  const text = (key) => at[key] === undefined ? "—" : shownText(board.table[place][at[key]]);
  const names = board.columns.map((column) => column.key).filter((key) => at[`${key}.fresh`] !== undefined && board.table[place][at[`${key}.fresh`]][0] !== null);
  if (!names.length) return null;
  return part("Metrics of the distribution", plainTable("Metrics of the distribution beside their floors", ["metric", "this set", "random rows", "held-out rows", "z"],
    names.map((name) => [name, text(name), text(`${name}.picked`), text(`${name}.fresh`), text(`${name}.z`)]), [1, 2, 3, 4]));
}

function privacy(entry, own) {
  if (!own || (!entry.privacy && own.exposes === null && own.starts === null)) return null;
  const yes = (flag) => flag === null ? "not known" : flag ? "yes" : "no";
  return part("Findings on privacy", pairs({ verdict: entry.privacy || "not tested", ...(own.reasons ? { reasons: own.reasons } : {}), "publishes training rows": yes(own.exposes), "starts from them": yes(own.starts) }));
}

function distilledRows(dataset, method, budget) {
  const picture = Array.from(document.querySelectorAll("[data-picture]")).find((figure) => figure.dataset.picture === JSON.stringify([dataset, method, budget]) ||
    JSON.parse(figure.dataset.picture).every((value, i) => value === [dataset, method, budget][i]));
  if (picture) {
    const copy = picture.cloneNode(true);
    copy.hidden = false;
    return part("Distilled rows", element("div", { class: "sets" }, copy));
  }
  const table = details.tables.find((one) => one.dataset === dataset && one.method === method && one.budget === budget);
  if (!table) return null;
  return part("Distilled rows", table.rows.length ? plainTable("Distilled rows", table.head, table.rows) : null, element("p", { class: "note" }, table.note));
}

function allNumbers(place) {
  const shown = board.columns.map((column, i) => [column.label, shownText(board.table[place][i])]).filter(([, text]) => text && text !== "—");
  return element("details", { class: "part" }, element("summary", {}, "All numbers of this entry"), pairs(Object.fromEntries(shown)));
}

function environment(key) {
  const known = details.environments[key];
  return known ? element("details", {}, element("summary", {}, "Packages and hardware"), pairs(known)) : null;
}

function setUpDrawer() {
  const drawer = document.getElementById("drawer");
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-entry]");
    if (cell) openDrawer(cell.dataset.entry);
  });
  document.getElementById("close").addEventListener("click", () => drawer.close());
  drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
  drawer.addEventListener("close", () => {
    state.cell = "";
    saveState();
    if (opener && opener.isConnected) opener.focus();
    opener = null;
  });
}
