// A dashboard while it is open: it follows the figures, says how new they are, and its controls are the address.
import { Connection } from "./connection.js";
import { Formats } from "./formats.js";
import "./panel.js";
import { Tiles } from "./tiles.js";

const STALE_AFTER = 10000; // ms without a word from the server: it says something at least every 2 s
const byId = (id) => document.getElementById(id);
const state = JSON.parse(byId("state").textContent);
const formats = new Formats(state);
const tiles = new Tiles(state, formats);
const badge = byId("badge");
const button = byId("live");
let paused = false;
let standing = "connecting";
let problem = ""; // why there are no newer figures

// ---- live

const connection = state.subscribe && new Connection(state.subscribe, {
  onAnswer: show,
  onState(next, reason) {
    standing = next;
    problem = reason ?? "";
    tell();
  },
});

function show(answer, touched) {
  standing = "live";
  problem = "";
  tiles.show(answer, touched, connection.correlationId);
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

// Whether the figures are those of now, in words; they stay as they are where they are not.
function tell() {
  const silent = Date.now() - connection.heardAt > STALE_AFTER;
  const lost = standing === "lost" || standing === "ended" || (standing === "live" && silent && connection.following);
  document.body.toggleAttribute("data-lost", lost);
  button.dataset.state = paused ? "paused" : lost ? "lost" : standing;
  button.textContent = paused ? "Paused" : standing === "ended" ? "Signed out" : lost ? "Not live" : standing === "live" ? "Live" : "Connecting";
  button.setAttribute("aria-pressed", String(paused));
  if (lost) say("lost", `Not live since ${formats.clock(connection.answeredAt)}${problem && `: ${problem}`}`);
  else if (tiles.problem) say("behind", `Some tiles are not renewed: ${tiles.problem}`);
}

// The badge is read out when it changes, so it only changes where it says something else.
function say(next, text) {
  badge.dataset.state = next;
  if (badge.textContent !== text) badge.textContent = text;
}

if (connection) {
  button.addEventListener("click", () => {
    if (standing === "ended") return location.reload();
    if (standing === "lost") return connection.again();
    paused = !paused;
    connection.follow(!paused && !document.hidden);
    tell();
  });
  document.addEventListener("visibilitychange", () => {
    connection.heardAt = Date.now();
    connection.follow(!paused && !document.hidden);
  });
  addEventListener("asked", tell);
  addEventListener("online", () => connection.again());
  setInterval(tell, 1000);
  connection.open();
}

// ---- the picker of a market: only its tiles change, and the address

document.addEventListener("change", (event) => event.target.form?.classList.contains("picker") && pick(event.target.form));
document.addEventListener("submit", (event) => {
  if (!event.target.classList.contains("picker")) return;
  event.preventDefault();
  pick(event.target);
});

async function pick(form) {
  const asked = new URLSearchParams([...new FormData(form)].filter(([, text]) => text));
  const next = await tiles.pick(`${form.getAttribute("action")}?${asked}`);
  if (!next) return tell();
  history.replaceState(null, "", `?${asked}`);
  connection?.ask(next.subscribe);
}

// ---- the controls

const controls = byId("controls");
const slider = byId("slider"); // goes back by days: to the end of each, which is the midnight after it
const midnight = () => new Date(Date.parse(slider.dataset.today) + 86400000 * (1 + slider.valueAsNumber));
const showMoment = () => {
  const text = slider.valueAsNumber ? formats.day(midnight() - 1) : "now";
  slider.setAttribute("aria-valuetext", text);
  slider.parentElement.querySelector("output").value = text;
};
slider.addEventListener("input", showMoment);
slider.addEventListener("change", () => (controls.elements.as_of.value = slider.valueAsNumber ? midnight().toISOString().slice(0, 19) : ""));
showMoment();
controls.addEventListener("change", () => {
  const own = controls.elements.period.value === "days";
  controls.querySelector(".days").hidden = !own;
  if (!own || (controls.elements.from.value && controls.elements.to.value)) controls.requestSubmit();
});
controls.addEventListener("submit", () => {
  document.body.setAttribute("data-loading", ""); // the old figures stay until the new ones are there
  for (const each of controls.elements) {
    const usual = each.name === "compare" ? "previous" : "";
    if (each.value === usual || (["from", "to"].includes(each.name) && controls.elements.period.value !== "days")) each.disabled = true;
  }
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.body.removeAttribute("data-loading"); // back again, out of the browser's memory
  for (const each of controls.elements) each.disabled = false;
});
byId("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(location.href);
  byId("copy").textContent = "Copied";
  setTimeout(() => (byId("copy").textContent = "Copy link"), 1500);
});
