"""The pages: rendered here, then live over the WebSocket. No build step, nothing from another network."""
