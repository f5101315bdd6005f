"""The server: our own API over HTTP, WebSocket and SSE, and what guards it. Imports no torch."""
