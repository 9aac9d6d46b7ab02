// A question that is answered while it is put together: the form's address is asked for, and the page goes there.
import { Charts } from "./charts.js";

const byId = (id) => document.getElementById(id);
let charts;
let asked = 0;

function start() {
  charts?.stop();
  charts = new Charts(JSON.parse(byId("state").textContent));
  charts.start();
  byId("question").querySelector(".apply").hidden = true;
}

async function show(address, push) {
  const mine = ++asked;
  byId("explorer").setAttribute("aria-busy", "true");
  const answer = await fetch(address);
  if (mine !== asked) return; // another was asked for meanwhile
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked) return;
  if (!answer.ok || !found.getElementById("explorer")) return location.assign(address);
  const focused = document.activeElement?.id;
  if (push) history.pushState(null, "", answer.url);
  for (const id of ["explorer", "state"]) byId(id).replaceWith(document.adoptNode(found.getElementById(id)));
  start();
  (byId(focused) ?? lastStep())?.focus();
}

const lastStep = () => [...document.querySelectorAll(".steps input")].find((each) => !each.value);

function address(submitter) {
  const form = byId("question");
  const own = form.elements.period.value === "days";
  const pairs = [...new FormData(form, submitter)].filter(([name, value]) => value !== "" && (own || !["from", "to"].includes(name)));
  return `${form.getAttribute("action")}?${new URLSearchParams(pairs)}`;
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "question") return;
  event.preventDefault();
  show(address(event.submitter?.name ? event.submitter : null), true);
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.id !== "question") return;
  const own = form.elements.period.value === "days";
  form.querySelector(".days").hidden = !own;
  if (!own || (form.elements.from.value && form.elements.to.value)) show(address(null), true);
});
addEventListener("popstate", () => show(location.href, false));
start();
