"""Diffusion models: loading, text, sampling, latents. Knows nothing of graphs; importing it imports no
torch."""
