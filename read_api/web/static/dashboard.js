// A dashboard while it is open: figures, tables and charts change in place; the panel and the controls need no new page.
import { Charts } from "./charts.js";
import { Connection } from "./connection.js";
import { Formats } from "./formats.js";

const STALE_AFTER = 10000; // ms without a word from the server: it says something at least every 2 s
const REFRESH_EVERY = 10000; // ms between two looks at what only the server can draw
const byId = (id) => document.getElementById(id);
const state = JSON.parse(byId("state").textContent);
const formats = new Formats(state);
const charts = new Charts(state);
const badge = byId("badge");
const button = byId("live");
const known = new Map(); // tile id → its rows as JSON
let paused = false;
let standing = "connecting";

charts.start();

// ---- live

const connection = state.subscribe && new Connection(state.subscribe, {
  onAnswer: show,
  onState(next, reason) {
    standing = next;
    if (next === "ended") badge.textContent = reason || "signed out";
    tell();
  },
  onProblem(problem) {
    standing = "lost";
    badge.textContent = `${problem.detail} (${problem.correlation_id})`;
    tell();
  },
});

function show(answer, touched) {
  for (const tile of answer.tiles) if (!touched || touched.has(tile.id)) showTile(tile, touched !== null);
  if (answer.as_of) {
    badge.dataset.state = answer.complete ? "complete" : "behind";
    const time = document.createElement("time");
    time.title = answer.as_of;
    time.textContent = formats.clock(answer.as_of);
    badge.replaceChildren(answer.complete ? "Complete to " : "As of ", time, `, ${formats.decimal(answer.lag_ms, 0, 0)} ms behind`);
  }
  byId("position").textContent = `position ${answer.position.slice(-18)}`;
  byId("position").title = answer.position;
  tell();
}

function showTile(tile, moved) {
  const element = byId(`tile-${tile.id}`);
  if (!element) return;
  const rows = JSON.stringify([tile.state, tile.rows]);
  if (known.get(tile.id) === rows) return;
  const first = !known.has(tile.id);
  known.set(tile.id, rows);
  const drawn = element.dataset.state === "open" && tile.state === "open" && tile.rows.length > 0;
  if (!drawn && element.dataset.state === tile.state) return;
  if (!drawn || (element.dataset.refreshed !== undefined && !first)) return refresh();
  if (tile.kind === "number") showFigure(element, tile.rows[0]);
  else if (charts.charts.has(tile.id)) charts.update(tile.id, tile.rows);
  else if (element.dataset.refreshed === undefined) showTable(element, tile.rows);
  if (moved) mark(element);
}

function mark(element) {
  element.classList.remove("moved");
  requestAnimationFrame(() => element.classList.add("moved"));
}

function showFigure(element, row) {
  const link = element.querySelector(".figure a");
  if (!link || row.value === null || row.value === undefined || link.dataset.value === "") return refresh();
  if (link.dataset.value === String(row.value)) return;
  link.dataset.value = row.value;
  link.textContent = formats.figure(link.dataset.kind, row.value);
  const compare = new URLSearchParams(location.search).get("compare") ?? "previous";
  const before = compare === "previous" ? row.previous : link.dataset.base || null;
  if (before !== null && before !== undefined) showChange(element.querySelector(".change"), link.dataset.kind, Number(row.value), Number(before));
}

function showChange(element, kind, value, before) {
  const moved = value - before;
  const way = moved > 0 ? "up" : moved < 0 ? "down" : "level";
  const arrow = { up: "▲", down: "▼", level: "=" }[way];
  const sign = moved > 0 ? "+" : "";
  const share = kind === "fraction" ? `${formats.value("points", moved * 100)} pts` : before ? formats.value("fraction", moved / Math.abs(before)) : formats.figure(kind, moved);
  const words = element.querySelector(".quiet");
  element.dataset.way = way;
  const shown = document.createElement("span");
  shown.ariaHidden = "true";
  shown.textContent = arrow;
  element.replaceChildren(shown, ` ${sign}${share} `, ...(words ? [words] : []));
}

// Cells that are the same stay, so that a selection and the place of scrolling do as well.
function showTable(element, rows) {
  const columns = [...element.querySelectorAll("thead th")];
  const body = element.querySelector("tbody");
  if (!body) return refresh();
  const limit = Math.min(rows.length, 100);
  while (body.rows.length > limit) body.lastElementChild.remove();
  for (let place = 0; place < limit; place++) {
    const row = body.rows[place] ?? body.insertRow();
    columns.forEach((column, at) => showCell(row, at, column, rows[place]));
  }
}

function showCell(row, at, column, values) {
  const value = values[column.dataset.name];
  const kind = ["value", "previous", "change"].includes(column.dataset.name) && values.unit ? (state.formats[values.unit] ? values.unit : "ratio") : column.dataset.kind;
  let cell = row.cells[at];
  if (!cell) {
    cell = document.createElement(at ? "td" : "th");
    if (!at) cell.scope = "row";
    if (column.classList.contains("number")) cell.className = "number";
    row.append(cell);
  }
  const raw = value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  if (cell.dataset.value === raw || column.dataset.name === "key") return;
  cell.dataset.value = raw;
  const text = value === null && values.reason ? values.reason.replaceAll("_", " ") : formats.value(kind, value);
  cell.replaceChildren(raw && ["user_id", "customer_id"].includes(column.dataset.name) ? person(raw, text) : text);
}

function person(id, text) {
  const link = document.createElement("a");
  link.href = `/dashboards/person?${new URLSearchParams({ company: state.company, user_id: id, customer_id: id })}`;
  link.textContent = text;
  return link;
}

// What only the server can draw (texts, a tile that opens or closes) is taken out of the page, asked for anew.
let refreshing = 0;
let refreshedAt = 0;

function refresh() {
  if (refreshing) return;
  refreshing = setTimeout(async () => {
    refreshedAt = Date.now();
    try {
      const answer = await fetch(location.href);
      if (answer.ok) replaceTiles(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } finally {
      refreshing = 0;
    }
  }, Math.max(500, refreshedAt + REFRESH_EVERY - Date.now()));
}

function replaceTiles(page) {
  const next = JSON.parse(page.getElementById("state").textContent);
  for (const element of document.querySelectorAll(".tile")) {
    const other = page.getElementById(element.id);
    const same = other && other.dataset.state === element.dataset.state && element.dataset.refreshed === undefined;
    if (!other || (same && element.dataset.kind !== "number")) continue;
    element.replaceWith(document.adoptNode(other));
    const id = other.dataset.id;
    if (next.charts[id]) {
      charts.charts.set(id, next.charts[id]);
      charts.views.delete(id);
      charts.watch(id);
    }
  }
}

function tell() {
  const silent = Date.now() - connection.heardAt > STALE_AFTER;
  const lost = standing === "lost" || standing === "ended" || (standing === "live" && silent && connection.following);
  document.body.toggleAttribute("data-lost", lost);
  button.dataset.state = paused ? "paused" : lost ? "lost" : standing;
  button.textContent = paused ? "Paused" : standing === "ended" ? "Signed out" : lost ? "Not live" : standing === "live" ? "Live" : "Connecting";
  button.setAttribute("aria-pressed", String(paused));
  if (lost) badge.dataset.state = "lost";
}

if (connection) {
  button.addEventListener("click", () => {
    if (standing === "ended") return location.reload();
    paused = !paused;
    connection.follow(!paused && !document.hidden);
    tell();
  });
  document.addEventListener("visibilitychange", () => {
    connection.heardAt = Date.now();
    connection.follow(!paused && !document.hidden);
  });
  setInterval(tell, 1000);
  connection.open();
}

// ---- the panel

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-panel], #panel-close");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openPanel(new URL(link.href), true, link);
});
addEventListener("popstate", () => openPanel(new URL(location.href), false));

let opener = null;

async function openPanel(address, push, link) {
  address.hash = "";
  const panel = byId("panel");
  if (push) history.pushState(null, "", address);
  if (!address.searchParams.get("panel")) {
    panel.hidden = true;
    opener?.focus();
    return;
  }
  opener = link?.closest(".tile") ? link : opener;
  const answer = await fetch(address);
  if (!answer.ok) return location.assign(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  panel.replaceChildren(...page.getElementById("panel").children);
  panel.hidden = false;
  byId("panel-close").focus();
}

// ---- the controls

const controls = byId("controls");
controls.querySelector(".apply").hidden = true;
controls.addEventListener("change", () => {
  const own = controls.elements.period.value === "days";
  controls.querySelector(".days").hidden = !own;
  if (!own || (controls.elements.from.value && controls.elements.to.value)) controls.requestSubmit();
});
controls.addEventListener("submit", () => {
  for (const each of controls.elements) {
    const usual = each.name === "compare" ? "previous" : "";
    if (each.value === usual || (["from", "to"].includes(each.name) && controls.elements.period.value !== "days")) each.disabled = true;
  }
});
byId("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(location.href);
  byId("copy").textContent = "Copied";
  setTimeout(() => (byId("copy").textContent = "Copy link"), 1500);
});
