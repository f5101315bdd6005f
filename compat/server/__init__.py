"""ComfyUI's HTTP routes and WebSocket, for clients that were written for it."""
