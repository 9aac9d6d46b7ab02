"""The read API over WebSocket: answers that come by themselves."""
