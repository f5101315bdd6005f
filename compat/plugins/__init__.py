"""ComfyUI's plugin contract: packs are found and loaded, their classes become node types."""
