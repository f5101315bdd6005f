"""The import names that ComfyUI's packs lean on, answered by Darkroom."""
