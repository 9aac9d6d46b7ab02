// The connection of a page: signs in with the token, subscribes, and comes back by itself when it is lost, to go on where
// it was. Of each subscription it keeps the answer, and makes the next one of what has changed (documents.py).
"use strict";

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

class Connection {
  constructor({ onWelcome, onMessage, onRefused, onLost }) {
    this.handlers = { onWelcome, onMessage, onRefused, onLost };
    this.subscriptions = new Map();
    this.answers = new Map(); // subscription id → its answer and the token to resume it with
    this.pause = 250;
    this.closed = false;
    this.heardAt = Date.now();
  }

  open(token) {
    this.token = token;
    this.closed = false;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "token", token }));
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = (event) => this.lost(event, socket);
  }

  take(message) {
    this.heardAt = Date.now();
    if (message.type === "welcome") {
      this.pause = 250;
      for (const [id, wanted] of this.subscriptions) this.send({ type: "subscribe", id, resume: this.answers.get(id)?.token, ...wanted });
      this.handlers.onWelcome(message);
    } else {
      if (message.type === "delta" && !this.answers.has(message.id)) return; // of what the id stood for before
      if (message.type === "delta") message.answer = applied(this.answers.get(message.id).answer, message.delta);
      if (message.answer) this.answers.set(message.id, message);
      this.handlers.onMessage(message);
    }
  }

  lost(event, socket) {
    if (socket !== this.socket || this.closed) return;
    if (event.code === 4401 || event.code === 4403) {
      this.handlers.onRefused(event.reason);
      return;
    }
    this.handlers.onLost();
    setTimeout(() => this.closed || this.open(this.token), this.pause);
    this.pause = Math.min(this.pause * 2, 8000);
  }

  // An id that is in use is replaced, so that a page can change what a tile shows.
  subscribe(id, wanted) {
    const open = this.socket.readyState === WebSocket.OPEN;
    if (open && this.subscriptions.has(id)) this.send({ type: "unsubscribe", id });
    this.subscriptions.set(id, wanted);
    this.answers.delete(id);
    if (open) this.send({ type: "subscribe", id, ...wanted });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  close() {
    this.closed = true;
    this.subscriptions.clear();
    this.answers.clear();
    this.socket?.close();
  }
}
