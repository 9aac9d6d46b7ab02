// Tables of tiles: new rows change cells in place, and a click on a column's name sorts by it.
import { narrowed, person } from "./narrowed.js";

const MOST = 100; // rows that a table shows

export class Tables {
  constructor(formats, { formats: kinds, narrows }) {
    this.formats = formats;
    this.kinds = kinds;
    this.narrows = narrows;
    this.currency = document.querySelector(".tiles").dataset.currency;
    this.rows = new WeakMap(); // table → its rows as the newest answer has them
    this.folded = new WeakSet(); // tables that are shown once they are opened
    this.titles = new Map(); // key of a metric → what the server calls it
    document.addEventListener("click", (event) => {
      const head = event.target.closest("thead .sort")?.closest("th");
      if (head) this.sort(head);
    });
    this.prepare(document);
  }

  // Names of columns become buttons, which only work where this script does.
  prepare(place) {
    const keys = "th[data-name=key]";
    for (const row of place.querySelectorAll(`table:has(${keys}) tbody tr`)) {
      const cell = row.cells[row.closest("table").querySelector(keys).cellIndex];
      this.titles.set(cell.dataset.value, cell.textContent);
    }
    for (const head of place.querySelectorAll(".tile thead th")) {
      if (!head.textContent || head.querySelector(".sort")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
    }
  }

  sort(head) {
    const table = head.closest("table");
    const before = head.getAttribute("aria-sort");
    const first = head.classList.contains("number") ? "descending" : "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    const other = { ascending: "descending", descending: "ascending" }[first];
    const next = before === first ? other : before === other ? null : first;
    if (next) head.setAttribute("aria-sort", next);
    const rows = this.rows.get(table);
    if (rows) this.show(table, rows);
    else this.sortShown(table);
  }

  // The rows that the server wrote, before any answer came.
  sortShown(table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    rows.forEach((row, place) => (row.dataset.place ??= place));
    rows.sort((a, b) => a.dataset.place - b.dataset.place);
    const order = orderOf(table);
    if (order) rows.sort((a, b) => order.compare(a.cells[order.at].dataset.value, b.cells[order.at].dataset.value));
    body.append(...rows);
  }

  // Cells that are the same stay, so that a selection and the place of scrolling do as well.
  show(table, rows) {
    const columns = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const order = orderOf(table);
    this.rows.set(table, rows);
    const folded = table.closest("details:not([open])");
    if (folded) return this.showOnceOpen(folded, table);
    const shown = order ? rows.toSorted((a, b) => order.compare(raw(a[order.name]), raw(b[order.name]))) : rows;
    const limit = Math.min(rows.length, Number(table.dataset.limit) || MOST);
    while (body.rows.length > limit) body.lastElementChild.remove();
    for (let place = 0; place < limit; place++) {
      const row = body.rows[place] ?? body.insertRow();
      delete row.dataset.place;
      columns.forEach((column, at) => this.showCell(row, at, column, shown[place]));
    }
  }

  // Nobody sees it now.
  showOnceOpen(folded, table) {
    if (this.folded.has(table)) return;
    this.folded.add(table);
    folded.addEventListener("toggle", () => this.folded.delete(table) && this.show(table, this.rows.get(table)), { once: true });
  }

  showCell(row, at, column, values) {
    const name = column.dataset.name;
    const value = values[name];
    const measured = ["value", "previous", "change"].includes(name) && values.unit;
    const kind = measured ? (this.kinds[values.unit] ? values.unit : "ratio") : column.dataset.kind;
    let cell = row.cells[at];
    if (!cell) {
      cell = document.createElement(at ? "td" : "th");
      if (!at) cell.scope = "row";
      if (column.classList.contains("number")) cell.className = "number";
      row.append(cell);
    }
    const text = raw(value);
    const shown = this.words(name, kind, text, values);
    if (cell.dataset.value === text && cell.textContent === shown) return; // what there is not has a reason
    cell.dataset.value = text;
    const leads = this.leads(name, text);
    if (!leads) return cell.replaceChildren(shown);
    const link = document.createElement("a");
    Object.assign(link, leads, { textContent: shown });
    cell.replaceChildren(link);
  }

  // What a cell says, as the server writes it (read_api/web/tables.py).
  words(name, kind, text, values) {
    const value = values[name];
    if (name === "key") return this.titles.get(text) ?? text;
    const reason = values.reasons?.[name] || (name === "value" && values.reason);
    if (value === null && reason) return reason.replaceAll("_", " ");
    const shown = this.formats.value(kind, value);
    return name === "value" && kind === "money" && value !== null ? `${shown} ${values.currency || this.currency}` : shown;
  }

  // Where a cell leads to, as an element has it; null for one that leads nowhere.
  leads(name, text) {
    if (text && ["user_id", "customer_id"].includes(name)) return { href: person(text) };
    const href = this.narrows.includes(name) && narrowed({ [name]: text });
    return href ? { href, className: "narrows", title: "Show this alone" } : null;
  }
}

function raw(value) {
  return value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

// How a table is sorted, if somebody sorted it; what there is not comes last either way.
function orderOf(table) {
  const heads = [...table.tHead.rows[0].cells];
  const at = heads.findIndex((head) => head.hasAttribute("aria-sort"));
  if (at < 0) return null;
  const sign = heads[at].getAttribute("aria-sort") === "ascending" ? 1 : -1;
  const words = new Intl.Collator(document.documentElement.dataset.locale, { numeric: true });
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const [one, two] = [Number(a), Number(b)];
    return sign * (Number.isNaN(one) || Number.isNaN(two) ? words.compare(a, b) : one - two);
  };
  return { at, name: heads[at].dataset.name, compare };
}
