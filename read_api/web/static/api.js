// The page of an API: finds operations, and asks them with the token that was pasted into it.
const LONGEST = 200_000; // characters of an answer that are shown
const byId = (id) => document.getElementById(id);

byId("with").addEventListener("submit", (event) => event.preventDefault());
byId("find").addEventListener("input", () => {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const each of document.querySelectorAll(".operation")) {
    each.hidden = !words.every((word) => each.dataset.find.includes(word));
  }
  for (const each of document.querySelectorAll("main > section")) {
    each.hidden = !each.querySelector(".operation:not([hidden])");
  }
});

for (const form of document.querySelectorAll(".operation > form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
document.getElementById(decodeURIComponent(location.hash.slice(1)))?.setAttribute("open", "");

function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const field of form.querySelectorAll("input")) {
    if (field.value === "") continue;
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.dataset.in === "query") query.append(field.name, field.value);
    else headers[field.name] = field.value;
  }
  const body = form.querySelector("textarea")?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { method: form.dataset.verb, address: path + (query.size ? `?${query}` : ""), headers, body };
}

async function send(form) {
  const { method, address, headers, body } = requestOf(form);
  const token = byId("token").value.trim();
  const asked = curl(method, address, headers, body, token);
  const [outcome, place] = [".outcome", ".answer"].map((each) => form.parentElement.querySelector(each));
  const started = performance.now();
  try {
    const authorization = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(address, { method, headers: { ...headers, ...authorization }, body, credentials: "omit" });
    const text = await answer.text();
    const position = answer.headers.get("X-Position");
    const words = [`${answer.status} ${answer.statusText}`, `${Math.round(performance.now() - started)} ms`];
    outcome.textContent = [...words, ...(position ? [`position ${position}`] : [])].join(" · ");
    place.replaceChildren(block(pretty(text)), asked);
  } catch (error) {
    outcome.textContent = `The API does not answer: ${error.message}`;
    place.replaceChildren(asked);
  }
}

function pretty(text) {
  let found = text;
  try {
    found = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // no JSON: as it is
  }
  return found.length > LONGEST ? `${found.slice(0, LONGEST)}\n…` : found;
}

function curl(method, address, headers, body, token) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const named = Object.entries(headers).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`);
  if (token) named.push(' -H "Authorization: Bearer $TOKEN"');
  const sent = body === undefined ? "" : ` -d ${quoted(body)}`;
  return block(`curl -X ${method}${named.join("")}${sent} ${quoted(location.origin + address)}`);
}

function block(text) {
  const element = document.createElement("pre");
  element.textContent = text;
  element.tabIndex = 0;
  return element;
}
