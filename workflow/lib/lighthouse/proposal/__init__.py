"""A study proposed for a folder of images: what it is, how fast this machine is, its minutes."""
