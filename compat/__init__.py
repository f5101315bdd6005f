"""ComfyUI's formats, protocol and plugin contract. Delete it and the rest still runs."""
