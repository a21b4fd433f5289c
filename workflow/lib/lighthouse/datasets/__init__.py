"""Real images: sources, labels, the split, the index by which they are read, their latents."""
