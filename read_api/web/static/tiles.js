// The tiles of a dashboard while it is open: figures, tables and charts change in place. What cannot be renewed keeps its
// figures, and says since when and why; what only the server can draw is taken out of the page, asked for anew.
import { Charts } from "./charts.js";
import { Tables } from "./tables.js";

const REFRESH_EVERY = 10000; // ms between two looks at what only the server can draw
const PATIENCE = 2000; // ms until what was refused is asked for again, where the server does not say

export class Tiles {
  constructor(state, formats) {
    this.formats = formats;
    this.charts = new Charts(state);
    this.tables = new Tables(formats, state);
    this.known = new Map(); // tile id → its state and rows as JSON
    this.shownAt = new Map(); // tile id → when its figures were last known to be right
    this.refreshing = 0;
    this.refreshedAt = 0;
    this.problem = null; // why the page could not be asked for anew
    this.charts.start();
  }

  // An answer of the whole dashboard. `touched`: the tiles that have changed; null: look at all.
  show(answer, touched, correlationId) {
    for (const tile of answer.tiles) {
      if (!touched || touched.has(tile.id)) this.showTile(tile, touched !== null, correlationId);
      if (tile.state === "open") this.shownAt.set(tile.id, Date.now());
    }
  }

  showTile(tile, moved, correlationId) {
    const element = document.getElementById(`tile-${tile.id}`);
    if (!element) return;
    const content = JSON.stringify([tile.state, tile.rows]);
    if (this.known.get(tile.id) === content) return;
    const first = !this.known.has(tile.id);
    this.known.set(tile.id, content);
    const held = element.dataset.state === "open" && ["pending", "failed"].includes(tile.state);
    this.hold(element, held ? tile : null, correlationId);
    if (held) return;
    const drawn = element.dataset.state === "open" && tile.state === "open" && tile.rows.length > 0;
    if (!drawn && element.dataset.state === tile.state) return;
    if (!drawn || (element.dataset.refreshed !== undefined && !first)) return this.refresh();
    if (tile.kind === "number") this.showFigure(element, tile.rows[0]);
    else this.showRows(element, tile);
    if (moved) mark(element);
  }

  // The old figures of a tile stay, with a word on why there are no newer ones.
  hold(element, tile, correlationId) {
    element.querySelector(".held")?.remove();
    element.toggleAttribute("data-held", tile !== null);
    if (!tile) return;
    const since = this.formats.clock(this.shownAt.get(tile.id) ?? performance.timeOrigin);
    const words = document.createElement("p");
    words.className = "held note";
    words.textContent = tile.state === "pending" ? `Of ${since}; being made anew.` : `Not renewed since ${since}: ${tile.problem.detail} (${correlationId}) `;
    if (tile.state === "failed") {
      const again = document.createElement("button");
      again.type = "button";
      again.textContent = "Try again";
      again.addEventListener("click", () => this.refresh(true));
      words.append(again);
    }
    element.append(words);
  }

  showFigure(element, row) {
    const link = element.querySelector(".figure a");
    if (!link || row.value === null || row.value === undefined || link.dataset.value === "") return this.refresh();
    if (link.dataset.value === String(row.value)) return;
    link.dataset.value = row.value;
    link.textContent = this.formats.figure(link.dataset.kind, row.value);
    const compare = new URLSearchParams(location.search).get("compare") ?? "previous";
    const before = compare === "previous" ? row.previous : link.dataset.base || null;
    if (before !== null && before !== undefined) this.showChange(element.querySelector(".change"), link.dataset.kind, Number(row.value), Number(before));
  }

  showChange(element, kind, value, before) {
    const moved = value - before;
    const way = moved > 0 ? "up" : moved < 0 ? "down" : "level";
    const arrow = { up: "▲", down: "▼", level: "=" }[way];
    const sign = moved > 0 ? "+" : "";
    const share = kind === "fraction" ? `${this.formats.value("points", moved * 100)} pts` : before > 0 && value >= 0 ? this.formats.value("fraction", moved / before) : this.formats.figure(kind, moved);
    const words = element.querySelector(".quiet");
    element.dataset.way = way;
    const shown = document.createElement("span");
    shown.ariaHidden = "true";
    shown.textContent = arrow;
    element.replaceChildren(shown, ` ${sign}${share} `, ...(words ? [words] : []));
  }

  showRows(element, tile) {
    this.charts.update(tile.id, tile.rows);
    if (element.dataset.refreshed !== undefined) return;
    const table = element.querySelector("table");
    if (table) this.tables.show(table, tile.rows);
    else if (!this.charts.charts.has(tile.id)) this.refresh();
  }

  // Ask for the page anew, soon. Where it is refused the figures stay, and it is asked for again when it may be.
  refresh(now = false) {
    if (now) clearTimeout(this.refreshing);
    else if (this.refreshing) return;
    const wait = now ? 0 : Math.max(500, this.refreshedAt + REFRESH_EVERY - Date.now());
    this.refreshing = setTimeout(() => this.askAnew(), wait);
  }

  async askAnew() {
    this.refreshedAt = Date.now();
    const page = await this.fetched(location.href);
    this.refreshing = 0;
    if (page) this.replace(page);
    else if (this.again) this.refreshing = setTimeout(() => this.askAnew(), this.again);
    dispatchEvent(new Event("asked"));
  }

  // A page, or null where there is none: then why not, and after how many ms it may be asked for again (0: never).
  async fetched(address) {
    this.again = PATIENCE;
    try {
      const answer = await fetch(address);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      this.problem = answer.ok ? null : page.querySelector("main [data-words]")?.textContent ?? answer.statusText;
      this.again = answer.status === 429 || answer.status >= 500 ? Math.max(PATIENCE, 1000 * Number(answer.headers.get("retry-after"))) : 0;
      return answer.ok ? page : null;
    } catch {
      this.problem = "the server does not answer";
      return null;
    }
  }

  // The page of another address, of which only those tiles differ that are asked something of their own.
  async pick(address) {
    const page = await this.fetched(address);
    if (!page) return null;
    const next = JSON.parse(page.getElementById("state").textContent);
    for (const id of new Set(Object.keys(next.own).map((name) => name.split(".")[0]))) {
      this.known.delete(id);
      this.put(document.getElementById(`tile-${id}`), page.getElementById(`tile-${id}`), next);
    }
    return next;
  }

  replace(page) {
    const next = JSON.parse(page.getElementById("state").textContent);
    for (const element of document.querySelectorAll(".tile")) {
      const other = page.getElementById(element.id);
      const same = other && other.dataset.state === element.dataset.state && element.dataset.refreshed === undefined;
      if (!other || (same && element.dataset.kind !== "number" && !element.hasAttribute("data-held"))) continue;
      if (element.dataset.state === "open" && ["pending", "failed"].includes(other.dataset.state)) continue; // the old figures stay
      this.put(element, other, next);
    }
  }

  put(element, other, next) {
    const focused = element.contains(document.activeElement) ? document.activeElement.name : null;
    element.replaceWith(document.adoptNode(other));
    this.tables.prepare(other);
    this.charts.replace(other.dataset.id, next.charts[other.dataset.id]);
    if (focused) other.querySelector(`[name="${focused}"]`)?.focus();
  }
}

function mark(element) {
  element.classList.remove("moved");
  requestAnimationFrame(() => element.classList.add("moved"));
}
