// The live page: which questions it follows, and how each answer is shown.
"use strict";

const STALE_AFTER = 6000; // ms without a word from the server: it says something at least every 2 s
const BARS_BACK = { "1m": 1, "5m": 3, "15m": 7, "1h": 30, "1d": 3650 }; // days that are asked for
const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat();
const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const price = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 7 });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

const freshness = new Map(); // subscription id → {as_of, complete, lag_ms} of what is shown
let lost = false;

const connection = new Connection({
  onWelcome(welcome) {
    lost = false;
    show(true);
    say("");
    if (connection.subscriptions.size) return; // back again: it subscribes anew by itself
    const asked = sessionStorage.getItem("company");
    const all = welcome.companies.includes("*");
    byId("company").value = all ? asked ?? "" : welcome.companies[0];
    byId("company").readOnly = !all && welcome.companies.length === 1;
    byId("company-form").hidden = false;
    follow();
  },
  onMessage: take,
  onRefused(reason) {
    signOut();
    byId("sign-in-error").textContent = reason;
  },
  onLost() {
    lost = true;
    tellFreshness();
  },
});

function follow() {
  const company = byId("company").value.trim();
  freshness.clear();
  connection.subscribe("pipeline", { watch: "pipeline" });
  if (!company) return say("Name a company to see its figures.");
  say("");
  connection.subscribe("totals", { query: "trading_totals", company, params: {} });
  connection.subscribe("symbols", { query: "trading_totals", company, params: { by: "symbol" } });
  connection.subscribe("users", { query: "user_activity", company, params: {} });
  followBars();
}

function followBars() {
  const company = byId("company").value.trim();
  const symbol = byId("symbol").value;
  if (!company || !symbol) return;
  showBars([]);
  const interval = byId("interval").value;
  const from = new Date(Date.now() - BARS_BACK[interval] * 86_400_000).toISOString().slice(0, 10);
  connection.subscribe("bars", { query: "market_bars", company, params: { symbol, interval, from } });
}

const SHOWN = {
  totals: ([row]) => {
    tile("trades", row ? whole.format(row.total_trades) : "0", row ? `${percent(row.win_rate)} won` : "no trades yet");
    const pnl = Number(row?.total_pnl ?? 0);
    tile("pnl", money.format(pnl), row ? `${money.format(Number(row.total_fees))} of fees paid` : "net of fees");
    byId("tile-pnl").querySelector("[data-figure]").dataset.sign = pnl < 0 ? "-" : pnl > 0 ? "+" : "";
  },
  symbols: showSymbols,
  users: ([row]) => tile("users", whole.format(row?.active_users ?? 0), row ? `${whole.format(row.sessions)} sessions` : "nobody yet"),
  bars: showBars,
  pipeline: showPipeline,
};

function take(message) {
  if (message.type === "error" || message.type === "ended") return fail(message);
  if (message.answer.rows) freshness.set(message.id, message.answer);
  SHOWN[message.id](message.answer.rows ?? message.answer);
  tellFreshness();
}

function fail(message) {
  freshness.delete(message.id);
  const problem = message.problem;
  const tiles = { totals: ["trades", "pnl"], users: ["users"], pipeline: ["events", "lag"] }[message.id] ?? [];
  for (const id of tiles) tile(id, "–", "not to be had");
  say(`${problem.detail} ${problem.suggested_actions.join(" ")} (${problem.code}, ${problem.correlation_id})`);
}

function tile(id, figure, note) {
  const element = byId(`tile-${id}`);
  element.querySelector("[data-figure]").textContent = figure;
  element.querySelector("[data-note]").textContent = note;
}

function percent(ratio) {
  return ratio == null ? "–" : `${(100 * ratio).toFixed(1)} %`;
}

function showSymbols(rows) {
  const select = byId("symbol");
  const before = select.value;
  const names = rows.map((row) => row.symbol).sort();
  if (names.join() === [...select.options].map((option) => option.value).join()) return;
  select.replaceChildren(...names.map((name) => new Option(name)));
  const busiest = rows.reduce((most, row) => (row.total_trades > (most?.total_trades ?? -1) ? row : most), null);
  select.value = names.includes(before) ? before : busiest?.symbol ?? "";
  if (select.value !== before) followBars();
}

function showBars(rows) {
  const recent = rows.slice(-120);
  byId("market-empty").hidden = recent.length > 0;
  document.querySelector(".market").hidden = recent.length === 0;
  if (!recent.length) return;
  const closes = recent.map((row) => Number(row.close));
  const low = Math.min(...closes);
  const span = Math.max(...closes) - low || 1;
  const points = closes.map((close, i) => `${(600 * i) / Math.max(1, closes.length - 1)},${114 - (108 * (close - low)) / span}`);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", points.join(" "));
  byId("bars").replaceChildren(line);
  const last = recent.at(-1);
  const start = new Date(last.start);
  const facts = [["Bar", (byId("interval").value === "1d" ? day : moment).format(start)]];
  for (const name of ["open", "high", "low", "close"]) facts.push([name[0].toUpperCase() + name.slice(1), price.format(Number(last[name]))]);
  facts.push(["Volume", whole.format(Math.round(Number(last.volume)))]);
  byId("last-bar").replaceChildren(...facts.flatMap(([name, value]) => [made("dt", name), made("dd", value)]));
}

function showPipeline(health) {
  if (health.events === undefined) tile("events", "–", "shown to those who see all companies");
  else tile("events", whole.format(health.events), `${whole.format(health.duplicates)} twice · ${whole.format(health.quarantined)} in quarantine`);
  const projections = health.projections ?? [];
  byId("projections-empty").hidden = projections.length > 0;
  byId("projections").replaceChildren(...projections.map(projectionRow));
  const seconds = Math.max(0, ...projections.map((p) => p.lag_seconds));
  const events = projections.reduce((sum, p) => Math.max(sum, p.lag_events), 0);
  tile("lag", seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`, events ? `${whole.format(events)} events to fold` : "everything is shown");
}

function projectionRow(projection) {
  const row = document.createElement("tr");
  const name = made("th", `${projection.name} v${projection.version}`);
  name.scope = "row";
  const state = made("td", projection.state);
  state.dataset.state = projection.state;
  state.title = projection.error ?? "";
  const position = made("td", projection.position || "–");
  position.className = "position";
  position.title = projection.position;
  const numbers = [whole.format(projection.lag_events), projection.lag_seconds.toFixed(2), whole.format(Math.round(projection.rate))];
  row.append(name, state, ...numbers.map((text) => made("td", text, "number")), position);
  return row;
}

function made(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function tellFreshness() {
  const [state, text] = freshnessNow();
  byId("freshness").dataset.state = state;
  byId("freshness").textContent = text;
  document.body.toggleAttribute("data-stale", state === "stale" || state === "lost");
}

function freshnessNow() {
  const silent = Date.now() - connection.heardAt;
  if (lost) return ["lost", "connection lost, trying again"];
  if (silent > STALE_AFTER) return ["stale", `no news for ${Math.round(silent / 1000)} s`];
  const known = [...freshness.values()].filter((answer) => answer.as_of);
  if (!known.length) return ["waiting", "waiting for figures"];
  const oldest = new Date(Math.min(...known.map((answer) => Date.parse(answer.as_of))));
  const behind = Math.max(...known.map((answer) => answer.lag_ms ?? 0));
  return known.every((answer) => answer.complete)
    ? ["live", `complete to ${time.format(oldest)}`]
    : ["behind", `as of ${time.format(oldest)}, ${whole.format(behind)} ms behind`];
}

function show(signedIn) {
  byId("sign-in").hidden = signedIn;
  byId("figures").hidden = !signedIn;
  byId("sign-out").hidden = !signedIn;
}

function say(text) {
  byId("trouble").textContent = text;
}

function signIn(token) {
  sessionStorage.setItem("token", token);
  byId("sign-in-error").textContent = "";
  connection.open(token);
}

function signOut() {
  sessionStorage.removeItem("token");
  connection.close();
  show(false);
  say("");
  byId("company-form").hidden = true;
  byId("freshness").dataset.state = "waiting";
  byId("freshness").textContent = "signed out";
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(byId("token").value.trim());
  byId("token").value = "";
});
byId("company-form").addEventListener("submit", (event) => event.preventDefault());
byId("company").addEventListener("change", () => {
  sessionStorage.setItem("company", byId("company").value.trim());
  byId("symbol").replaceChildren();
  follow();
});
byId("symbol").addEventListener("change", followBars);
byId("interval").addEventListener("change", followBars);
byId("sign-out").addEventListener("click", signOut);
setInterval(() => sessionStorage.getItem("token") && tellFreshness(), 1000);

// The token comes in the fragment, which browsers never send to a server, and leaves the address bar at once.
const given = new URLSearchParams(location.hash.slice(1));
const before = sessionStorage.getItem("token");
if (given.has("token")) history.replaceState(null, "", location.pathname);

function begin(token, company) {
  if (company) sessionStorage.setItem("company", company);
  if (token) signIn(token);
  else signOut();
}

// A link may carry somebody else's token: it never takes the place of who is signed in unasked.
if (before && given.has("token") && given.get("token") !== before) {
  byId("replace").hidden = false;
  byId("replace-no").addEventListener("click", () => (byId("replace").hidden = true));
  byId("replace-yes").addEventListener("click", () => {
    byId("replace").hidden = true;
    signOut();
    begin(given.get("token"), given.get("company"));
  });
  begin(before, null);
} else begin(given.get("token") ?? before, given.get("company"));
