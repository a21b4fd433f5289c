"""Selections: of more images than are wanted, those that are kept.

What is chosen needs no torch: a job that gathers shards can do it.
"""
