"""Students: networks trained from scratch on a distilled set alone. Knows images only."""
