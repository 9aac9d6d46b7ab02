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

// Whether what has changed of a tile is more than how fresh it is: that changes with every event of anybody.
const FRESHNESS = ["position", "as_of", "complete", "lag_ms"];
const isSeen = ([, delta]) => delta.lists || delta.unset || Object.keys(delta.set ?? {}).some((name) => !FRESHNESS.includes(name));

const RETRIED = [429, 503]; // statuses of problems that pass
const ENDED = [4401, 4403]; // close codes of a session that is over
const SHORTEST = 250; // ms until a connection is tried again; twice as long each time
const LONGEST = 8000;

export class Connection {
  constructor(subscribe, { onAnswer, onState }) {
    this.wanted = subscribe;
    this.handlers = { onAnswer, onState };
    this.answer = null; // the newest one, with the token to resume it with
    this.pause = SHORTEST;
    this.following = true; // false: paused, or nobody looks
    this.heardAt = Date.now();
    this.answeredAt = performance.timeOrigin; // the page itself brought figures
    this.correlationId = "";
    this.waiting = 0;
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
      this.correlationId = message.correlation_id;
      if (this.following) this.subscribe();
      else this.handlers.onState("paused");
    } else if (message.type === "error") {
      this.refused(message.problem);
    } else if (message.type === "ended") {
      this.handlers.onState("lost", words(message.problem));
    } else if (this.following) {
      this.takeAnswer(message);
    }
  }

  takeAnswer(message) {
    const delta = message.type === "delta";
    if (delta && !this.answer) return;
    const answer = delta ? applied(this.answer.answer, message.delta) : message.answer;
    const touched = delta ? new Set((message.delta.lists?.tiles?.changed ?? []).filter(isSeen).map(([[id]]) => id)) : null;
    this.answer = { answer, token: message.token };
    this.answeredAt = Date.now();
    this.pause = SHORTEST;
    clearTimeout(this.waiting);
    this.handlers.onAnswer(answer, touched);
  }

  // What passes (too much was asked for, a server is away) is asked for again; the figures stay meanwhile.
  refused(problem) {
    this.handlers.onState("lost", words(problem));
    if (RETRIED.includes(problem.status)) this.later(() => this.following && this.resubscribe());
  }

  lost(event) {
    if (ENDED.includes(event.code)) return this.handlers.onState("ended", event.reason);
    this.handlers.onState("lost", event.reason);
    this.later(() => this.open());
  }

  // After a pause, which grows; not all at the same moment when a server comes back.
  later(action) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(action, this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(this.pause * 2, LONGEST);
  }

  // Try at once.
  again() {
    if (this.socket?.readyState === WebSocket.OPEN) return this.resubscribe();
    if (this.socket?.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.waiting);
    this.open();
  }

  // Follow something else from now on.
  ask(subscribe) {
    this.wanted = subscribe;
    this.answer = null;
    if (this.following) this.resubscribe();
  }

  follow(following) {
    if (following === this.following) return;
    this.following = following;
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (following) this.subscribe();
    else this.send({ type: "unsubscribe", id: "page" });
  }

  resubscribe() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.send({ type: "unsubscribe", id: "page" });
    this.subscribe();
  }

  subscribe() {
    this.send({ type: "subscribe", id: "page", resume: this.answer?.token, ...this.wanted });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }
}

function words(problem) {
  return `${problem.detail} (${problem.correlation_id})`;
}
