"""Tables, figures and image grids, made from the files of other stages alone."""
