// Editors: what only changes the draft is sent and shown in place; tiles can be dragged, and moved by arrow keys.
import { Charts } from "./charts.js";

const byId = (id) => document.getElementById(id);
const DRAFT = ["add", "remove", "redraw", "tile", "check"]; // verbs whose answer is shown in place
let charts;

function start() {
  charts?.stop();
  charts = byId("state") && new Charts(JSON.parse(byId("state").textContent));
  charts?.start();
}

async function draft(deed) {
  const form = byId("edit");
  const body = new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "do"));
  body.set("do", deed);
  const open = [...document.querySelectorAll("#edit details[open]")].map((each) => each.id);
  const focused = document.activeElement?.id || document.activeElement?.closest("[data-tile]")?.dataset.tile;
  const where = deed === "check" ? form.getAttribute("action") : form.dataset.draft;
  const answer = await fetch(where, { method: "POST", body });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page.getElementById("edit")) {
    form.action = where; // what was refused says so as a page, and nothing is saved
    return form.submit();
  }
  byId("main").replaceWith(document.adoptNode(page.getElementById("main")));
  for (const id of open) byId(id)?.setAttribute("open", "");
  (byId(focused) ?? document.querySelector(`[data-tile="${CSS.escape(focused ?? "")}"] [data-handle]`))?.focus({ preventScroll: true });
  document.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" });
  start();
}

document.addEventListener("submit", (event) => {
  const deed = event.submitter?.value ?? "";
  if (event.target.id !== "edit" || !DRAFT.includes(deed.split(" ")[0])) return;
  event.preventDefault();
  draft(deed);
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-redraw] > label > select, #timing > label > input")) draft("redraw");
  if (event.target.dataset?.into && event.target.files[0]) read(event.target);
});

function read(input) {
  const reader = new FileReader();
  reader.onload = () => (byId(input.dataset.into).value = reader.result);
  reader.readAsDataURL(input.files[0]);
}

const KEYS = { ArrowLeft: ["left", "narrower"], ArrowRight: ["right", "wider"], ArrowUp: ["up", "lower"], ArrowDown: ["down", "taller"] };
document.addEventListener("keydown", (event) => {
  const verbs = event.target.matches?.("[data-handle]") && KEYS[event.key];
  if (!verbs) return;
  event.preventDefault();
  draft(`tile ${verbs[event.shiftKey ? 1 : 0]} ${event.target.closest("[data-tile]").dataset.tile}`);
});

// A tile is dragged by its handle: where it is let go, the tile below it makes room.
let dragged = null;
document.addEventListener("pointerdown", (event) => {
  const handle = event.target.matches?.("[data-handle]") && event.target.closest("[data-tile]");
  if (!handle || event.button !== 0) return;
  dragged = { tile: handle, x: event.clientX, y: event.clientY };
  event.target.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (dragged) dragged.tile.style.translate = `${event.clientX - dragged.x}px ${event.clientY - dragged.y}px`;
});
document.addEventListener("pointerup", (event) => {
  if (!dragged) return;
  const { tile, x } = dragged;
  const moved = Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) > 8;
  dragged = null;
  const grid = tile.parentElement.getBoundingClientRect();
  const now = tile.getBoundingClientRect();
  tile.style.translate = "";
  if (!moved) return;
  const column = Math.round(((now.left - grid.left) * 12) / grid.width);
  const others = [...document.querySelectorAll("[data-tile]")].filter((each) => each !== tile);
  const below = others.filter((each) => each.getBoundingClientRect().top >= now.top - 20).map(row);
  const last = Math.max(0, ...others.map((each) => row(each) + Number(value(each, "h"))));
  draft(`tile to ${tile.dataset.tile} ${Math.max(0, column)} ${below.length ? Math.min(...below) : last}`);
});

// Of a tile its form says where it is.
function value(tile, side) {
  const id = [...document.querySelectorAll("#edit [name$='.id']")].find((each) => each.value === tile.dataset.tile);
  return document.getElementsByName(id.name.replace(/id$/, `layout.${side}`))[0].value;
}
const row = (tile) => Number(value(tile, "y"));

// What was written and not saved is not left unasked.
let leaving = false;
document.addEventListener("submit", () => (leaving = true));
document.addEventListener("input", (event) => event.target.form?.id === "edit" && event.target.form.setAttribute("data-changed", ""));
addEventListener("beforeunload", (event) => {
  if (!leaving && byId("edit")?.hasAttribute("data-changed")) event.preventDefault();
});
start();
