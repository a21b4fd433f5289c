"""What the repository ships: its config and its schemas."""

from pathlib import Path

import yaml

from lighthouse.config.schema import load_schema

BASE = Path(__file__).parents[1]
SCHEMAS = BASE / "workflow" / "schemas"
SHIPPED = yaml.safe_load((BASE / "config" / "config.yaml").read_text())
SCHEMA = load_schema(SCHEMAS / "config.schema.yaml")
