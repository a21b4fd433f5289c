"""What a user may say, checked before any job starts. Imports no torch."""

from lighthouse.config.schema import ConfigError
from lighthouse.config.study import Cell, Method, Prior, Study, load_study

__all__ = ["Cell", "ConfigError", "Method", "Prior", "Study", "load_study"]
