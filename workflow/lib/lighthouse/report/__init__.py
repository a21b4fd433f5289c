"""Tables, figures and image grids, made from the metrics' files alone."""
