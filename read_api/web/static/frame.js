// What every page has: search, keys, theme, help, and links that sign somebody else in.
const byId = (id) => document.getElementById(id);
const root = document.documentElement;
const typing = (target) => target.matches?.("input, select, textarea, [contenteditable]");

export function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

byId("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  dispatchEvent(new Event("theme"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));

const found = byId("search-found");
let index = null;
let selected = 0;

async function openSearch() {
  byId("search").showModal();
  byId("search-text").focus();
  try {
    index ??= await askIndex();
    showFound();
  } catch {
    found.textContent = "The search does not answer. Close it, and open it again in a moment.";
  }
}

async function askIndex() {
  const company = new URLSearchParams(location.search).get("company") ?? "";
  const answer = await fetch(`/search.json?company=${encodeURIComponent(company)}`);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

function showFound() {
  const words = byId("search-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = (index ?? []).filter((each) => words.every((word) => `${each.title} ${each.what}`.toLowerCase().includes(word)));
  selected = Math.max(0, Math.min(selected, hits.length - 1));
  found.replaceChildren(...hits.slice(0, 50).map((hit, place) => {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", place === selected);
    const link = document.createElement("a");
    const what = document.createElement("small");
    link.href = hit.href;
    link.tabIndex = -1;
    what.textContent = hit.what;
    link.append(hit.title, what);
    item.append(link);
    return item;
  }));
}

byId("search-open").addEventListener("click", openSearch);
byId("search-text").addEventListener("input", () => ((selected = 0), showFound()));
byId("search-text").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    selected += step;
    showFound();
    found.children[selected]?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter") {
    event.preventDefault();
    found.children[selected]?.querySelector("a").click();
  }
});
byId("help-open").addEventListener("click", () => byId("help").showModal());

let going = 0; // when `g` was pressed
addEventListener("keydown", (event) => {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const place = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
  if (Date.now() - going < 1500 && place) place.click();
  else if (event.key === "/") openSearch();
  else if (event.key === "?") byId("help").showModal();
  else if (event.key === ".") byId("live")?.click();
  else if (event.key === "Escape") byId("panel-close")?.click();
  else {
    going = event.key === "g" ? Date.now() : 0;
    return;
  }
  going = 0;
  event.preventDefault();
});

// A link may carry somebody else's token: it never takes the place of who is signed in unasked.
const given = new URLSearchParams(location.hash.slice(1));
if (given.has("token")) {
  const next = new URL(location.pathname + location.search, location.href);
  if (given.has("company")) next.searchParams.set("company", given.get("company"));
  history.replaceState(null, "", location.pathname + location.search);
  byId("other-token").value = given.get("token");
  byId("other-next").value = next.pathname + next.search;
  byId("other-name").textContent = subject(given.get("token"));
  byId("other-no").addEventListener("click", () => byId("other").close());
  byId("other").showModal();
}

function subject(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  } catch {
    return "somebody else";
  }
}

// Where the pages do not fit beside one another, this one is among those that are seen.
for (const here of document.querySelectorAll("nav [aria-current]")) {
  here.parentElement.scrollLeft = here.offsetLeft + here.offsetWidth - here.parentElement.offsetLeft - here.parentElement.clientWidth;
}

const again = Number(document.querySelector("main[data-again]")?.dataset.again);
if (again) setInterval(showAgain, again * 1000);

async function showAgain() {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => ({ ok: false }));
  document.body.toggleAttribute("data-lost", !answer.ok);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (document.activeElement.matches("#again :is(a, button, input, select, textarea)")) return; // about to be used
  byId("again").replaceWith(page.getElementById("again"));
  if (!page.querySelector("main[data-again]")) location.reload(); // it has ended, and what can be done now is another
}
