"""The audit: what must hold between finished tables and figures, by formulas of its own.

``claims`` says what a check states and how exactly it must hold, ``checks`` lists all checks.
Nothing here calls the makers of tables: an error of theirs must not be made twice.
"""
