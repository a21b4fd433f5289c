"""Errors that say all there is to say; no trace helps more."""


class DataError(ValueError):
    """What is wrong with the data on disk, in words for who put them there."""
