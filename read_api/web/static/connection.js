// The connection of a page: signs in with the token, subscribes, and comes back by itself when it is lost.
"use strict";

class Connection {
  constructor({ onWelcome, onMessage, onRefused, onLost }) {
    this.handlers = { onWelcome, onMessage, onRefused, onLost };
    this.subscriptions = new Map();
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
      for (const [id, wanted] of this.subscriptions) this.send({ type: "subscribe", id, ...wanted });
      this.handlers.onWelcome(message);
    } else {
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
    if (open) this.send({ type: "subscribe", id, ...wanted });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  close() {
    this.closed = true;
    this.subscriptions.clear();
    this.socket?.close();
  }
}
