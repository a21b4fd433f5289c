"""Numbers of things in messages."""

import pytest

from lighthouse.runtime.counting import many


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "image", "0 images"),
        (1, "image", "1 image"),
        (2, "class", "2 classes"),
        (1, "class", "1 class"),
        (1.4, "minute", "1 minute"),
        (12345, "file", "12,345 files"),
    ],
)
def test_one_is_one_and_all_others_are_several(count, noun, said):
    assert many(count, noun) == said
