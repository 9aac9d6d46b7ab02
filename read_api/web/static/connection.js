// The connection of a page: signs in with the session's cookie, subscribes, and comes back by itself when it is lost, to go
// on where it was. Of its subscription it keeps the answer, and makes the next one of what has changed (documents.py).

function applied(answer, delta) {
  const next = { ...answer, ...delta.set };
  for (const name of delta.unset ?? []) delete next[name];
  for (const [name, changes] of Object.entries(delta.lists ?? {})) next[name] = appliedRows(next[name], changes);
  return next;
}

function appliedRows(rows, { key, removed = [], changed = [], added = [] }) {
  const keyOf = (row) => JSON.stringify(key.map((name) => row[name]));
  const gone = new Set(removed.map((values) => JSON.stringify(values)));
  const deltas = new Map(changed.map(([values, delta]) => [JSON.stringify(values), delta]));
  const next = rows.filter((row) => !gone.has(keyOf(row)));
  next.forEach((row, place) => deltas.has(keyOf(row)) && (next[place] = applied(row, deltas.get(keyOf(row)))));
  for (const [place, row] of added) next.splice(place, 0, row);
  return next;
}

export class Connection {
  constructor(subscribe, { onAnswer, onState, onProblem }) {
    this.wanted = subscribe;
    this.handlers = { onAnswer, onState, onProblem };
    this.answer = null; // the newest one, with the token to resume it with
    this.pause = 250;
    this.following = true; // false: paused, or nobody looks
    this.heardAt = Date.now();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`, "analytics.v1.json");
    this.socket = socket;
    socket.onopen = () => this.send({ type: "token" });
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.lost(event);
  }

  take(message) {
    this.heardAt = Date.now();
    if (message.type === "welcome") {
      this.pause = 250;
      if (this.following) this.subscribe();
      this.handlers.onState(this.following ? "live" : "paused");
    } else if (message.type === "error" || message.type === "ended") {
      this.handlers.onProblem(message.problem);
    } else if (this.following) {
      const delta = message.type === "delta";
      if (delta && !this.answer) return;
      const answer = delta ? applied(this.answer.answer, message.delta) : message.answer;
      const touched = delta ? new Set((message.delta.lists?.tiles?.changed ?? []).map(([[id]]) => id)) : null;
      this.answer = { answer, token: message.token };
      this.handlers.onAnswer(answer, touched);
    }
  }

  lost(event) {
    if (event.code === 4401 || event.code === 4403) return this.handlers.onState("ended", event.reason);
    this.handlers.onState("lost");
    setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(this.pause * 2, 8000);
  }

  follow(following) {
    if (following === this.following) return;
    this.following = following;
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (following) this.subscribe();
    else this.send({ type: "unsubscribe", id: "page" });
  }

  subscribe() {
    this.send({ type: "subscribe", id: "page", resume: this.answer?.token, ...this.wanted });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }
}
