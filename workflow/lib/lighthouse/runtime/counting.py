"""Numbers of things in messages."""


def many(count: float, noun: str) -> str:
    """How many there are of a thing, as in *1 image* and *1,200 images*.

    count: is rounded. noun: of one thing, whose plural takes an s, or es behind another.
    """
    whole = round(count)
    ending = "" if whole == 1 else "es" if noun.endswith("s") else "s"
    return f"{whole:,} {noun}{ending}"
