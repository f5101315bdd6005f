"""The engine: workflows in, events and values out. Pure Python; never imports torch."""
