// The panel beside the tiles: what a number is. It needs no new page, and is part of the address all the same.
const panel = document.getElementById("panel");
let opener = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-panel], #panel-close, #panel [data-inside]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.inside !== undefined) return showInside(link);
  open(new URL(link.href), true, link);
});
addEventListener("popstate", () => open(new URL(location.href), false));
followInside();

async function open(address, push, link) {
  address.hash = "";
  if (push) history.pushState(null, "", address);
  if (!address.searchParams.get("panel")) {
    panel.hidden = true;
    opener?.focus();
    return;
  }
  opener = link?.closest(".tile") ? link : opener;
  panel.setAttribute("aria-busy", "true");
  panel.hidden = false;
  panel.replaceChildren(...(await parts(address, "#panel")));
  panel.removeAttribute("aria-busy");
  document.getElementById("panel-close")?.focus();
  followInside();
}

// What stands behind a link of the panel takes the link's place in it.
async function showInside(link) {
  link.setAttribute("aria-busy", "true");
  link.closest(".inside").replaceChildren(...(await parts(link.href, ".inside")));
}

// The first page of events comes by itself, once there is somebody who looks at the number.
function followInside() {
  const link = panel.hidden ? null : panel.querySelector("[data-inside=soon]");
  if (link) showInside(link);
}

// Elements of another page; where it is refused, the words of the refusal.
async function parts(address, selector) {
  try {
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) return page.querySelector(selector).children;
    const said = [...page.querySelectorAll("main [data-words]")];
    return selector === "#panel" ? [close(), ...said] : said;
  } catch {
    return [words("The server does not answer. Open it again in a moment."), close()];
  }
}

function close() {
  const link = document.createElement("a");
  const address = new URL(location.href);
  address.searchParams.delete("panel");
  Object.assign(link, { className: "button", id: "panel-close", href: address.href, textContent: "✕", ariaLabel: "Close" });
  return link;
}

function words(text) {
  const shown = document.createElement("p");
  shown.textContent = text;
  return shown;
}
