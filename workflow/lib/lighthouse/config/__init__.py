"""What a user may say, checked before any job starts. Imports no torch.

Nothing is imported here: figures need the grid's names, and not what reads a config.
"""
