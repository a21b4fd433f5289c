"""Errors that say all there is to say; no trace helps more."""


class DataError(ValueError):
    """What is wrong with data, weights or options, in words for who can put it right."""


class StorageError(DataError):
    """A disk that takes no file: whatever else is to be written there would fail alike."""
