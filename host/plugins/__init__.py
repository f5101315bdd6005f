"""Plugins as the host sees them: where they lie, what became of each, what is remembered of their nodes."""
