"""Worker processes: one a device, each holding the engine; started, watched and restarted by the server."""
