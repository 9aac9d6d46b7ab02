// A page that was refused for a moment (too much was asked for, a server is away) comes by itself, once it is to be had.
const waits = document.getElementById("waits");
let left = Number(waits.dataset.seconds);

setInterval(async () => {
  left -= 1;
  waits.textContent = `This page comes by itself${left > 0 ? ` in ${left} s` : ""}.`;
  if (left !== 0) return;
  const answer = await fetch(location.href).catch(() => ({ status: 503 }));
  if (answer.status !== 429 && answer.status !== 503) return location.reload();
  left = Math.min(30, 2 * Number(waits.dataset.seconds));
  waits.dataset.seconds = left;
}, 1000);
