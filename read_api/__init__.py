"""The read side: questions over HTTP, WebSocket and gRPC. Knows no command."""
