"""Priors: training loop, objectives."""
