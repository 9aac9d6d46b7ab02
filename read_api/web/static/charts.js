// Charts: drawn where they come into sight, by the bundle that the page's data names; new rows go into the same view.
import { isDark } from "./frame.js";
import { narrowed } from "./narrowed.js";

const DRAWN_EVERY = 2000; // ms between two drawings of a chart: its figures and tables do not wait for it
const MOST_ELEMENTS = 1000; // rows that are drawn as SVG; beyond it a canvas is quicker

let loading; // what draws: once a page, whoever asks first

export class Charts {
  constructor({ charts, themes, bundle, numbers, times, narrows }) {
    this.charts = new Map(Object.entries(charts));
    this.themes = themes;
    this.bundle = bundle;
    this.numbers = numbers;
    this.times = times;
    this.narrows = narrows ?? [];
    this.views = new Map(); // tile id → its views
    this.inSight = new Set();
    this.seen = new IntersectionObserver((entries) => entries.forEach((each) => this.see(each.target.dataset.id, each.isIntersecting)), { rootMargin: "200px" });
    this.ended = new AbortController();
    const { signal } = this.ended;
    addEventListener("theme", () => [...this.views.keys()].forEach((id) => this.redraw(id)), { signal });
    let waiting = 0;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => [...this.views.values()].flat().forEach((view) => view.resize().runAsync()), 150);
    }, { signal });
  }

  // Its tiles are no longer in the page.
  stop() {
    this.ended.abort();
    this.seen.disconnect();
    for (const view of [...this.views.values()].flat()) view.finalize();
    this.views.clear();
    this.charts.clear();
  }

  async start() {
    if (!this.charts.size) return;
    await this.load();
    for (const id of this.charts.keys()) this.watch(id);
  }

  load() {
    loading ??= load(this.bundle);
    return loading;
  }

  watch(id) {
    const tile = document.getElementById(`tile-${id}`);
    if (tile) this.seen.observe(tile);
  }

  see(id, inSight) {
    this.inSight[inSight ? "add" : "delete"](id);
    if (!inSight) return;
    this.draw(id);
    this.renew(id);
  }

  async draw(id) {
    const chart = this.charts.get(id);
    if (!chart || this.views.has(id)) return;
    this.views.set(id, []);
    const rows = chart.rows;
    const places = document.querySelectorAll(`#tile-${CSS.escape(id)} .chart`);
    const views = [];
    for (const [number, place] of [...places].entries()) {
      const options = {
        ast: true, actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true }, mode: "vega-lite",
        config: this.themes[isDark() ? "dark" : "light"],
        renderer: chart.rows.length > MOST_ELEMENTS ? "canvas" : "svg",
        formatLocale: this.numbers,
        timeFormatLocale: this.times,
        logLevel: 1, // errors alone
      };
      const spec = structuredClone(chart.specs[number]);
      spec.data = { name: "rows", values: structuredClone(rows) };
      const { view } = await window.vegaEmbed(place, spec, options);
      view.addEventListener("click", (event, item) => this.follow(item));
      views.push(view);
    }
    this.views.set(id, views);
    if (chart.rows !== rows) this.update(id, chart.rows); // they came while it was drawn
  }

  // A mark that stands for one value of something leads to the page of that alone.
  follow(item) {
    const { datum, mark } = item ?? {};
    if (!datum || !["rect", "arc", "symbol"].includes(mark.marktype)) return;
    const named = Object.entries(datum).filter(([name]) => this.narrows.includes(name));
    const address = named.length && narrowed(Object.fromEntries(named));
    if (address) location.assign(address);
  }

  async redraw(id) {
    for (const view of this.views.get(id) ?? []) view.finalize();
    this.views.delete(id);
    await this.draw(id);
  }

  // New rows of a tile. A chart that is not in sight keeps them until it is.
  update(id, rows) {
    const chart = this.charts.get(id);
    if (!chart) return;
    chart.rows = rows;
    chart.stale = true;
    chart.waiting ??= setTimeout(() => {
      chart.waiting = null;
      this.renew(id);
    }, Math.max(0, (chart.drawnAt ?? 0) + DRAWN_EVERY - Date.now()));
  }

  renew(id) {
    const chart = this.charts.get(id);
    const views = this.views.get(id) ?? [];
    if (!chart?.stale || !views.length || !this.inSight.has(id)) return;
    chart.stale = false;
    chart.drawnAt = Date.now();
    for (const view of views) view.data("rows", structuredClone(chart.rows)).runAsync();
  }

  // A tile was drawn anew by the server, perhaps with other charts or none.
  replace(id, chart) {
    for (const view of this.views.get(id) ?? []) view.finalize();
    this.views.delete(id);
    if (!chart) return this.charts.delete(id);
    this.charts.set(id, chart);
    this.load().then(() => this.watch(id));
  }
}

function load(address, tries = 30) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      if (tries > 0) setTimeout(() => load(address, tries - 1).then(resolve, reject), 2000);
      else reject(new Error("what draws charts cannot be loaded"));
    };
    document.head.append(script);
  });
}
