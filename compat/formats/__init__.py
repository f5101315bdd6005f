"""Readers and writers of ComfyUI's two workflow formats."""
