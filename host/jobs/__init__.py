"""Jobs: workflows handed in to run, kept in SQLite with their numbered events, outputs and node timings."""
