"""Odd images: what each kind becomes, and what is said of it."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from lighthouse.datasets.decoding import MOST_OBLONG, ODDITIES, WHITE, decode
from lighthouse.datasets.index import ImageIndex, read_image
from odd_images import HIGH, ODD, WIDE, exif_of, grey, picture

#: What each kind is said to be, beside those that are as any other.
SAID = {
    "16-bit PNG": "deep",
    "16-bit TIFF": "deep",
    "32-bit TIFF": "stretched",
    "float TIFF of 0 to 1": "unit",
    "float TIFF": "stretched",
    "transparent RGBA": "transparent",
    "transparent LA": "transparent",
    "transparent palette": "transparent",
    "transparent WebP": "transparent",
    "CMYK": "print",
    "animation": "frames",
    "pages": "frames",
    "panorama": "oblong",
    "PNG named JPEG": "misnamed",
    "no ending": "unnamed",
    "unknown ending": "unnamed",
    # A TIFF is turned by Pillow, whatever it is asked.
    **{name: "turned" for name in ODD if name.startswith("turned") and name != "turned TIFF"},
}
GREY = [name for name in ODD if "bit" in name or "float" in name]
TRANSPARENT = [name for name in ODD if name.startswith("transparent")]
EXACT = ["plain", "opaque RGBA", "PNG named JPEG", "no ending", "unknown ending", "not turned"]


def pixels(path, **options):
    return np.asarray(decode(path, **options).image).astype(int)


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_said(tmp_path, name):
    found = decode(ODD[name](tmp_path), upright=True)
    assert found.oddities == ((SAID[name],) if name in SAID else ())
    assert found.image.mode == "RGB"


def test_every_oddity_has_a_kind_and_a_sentence():
    assert set(SAID.values()) == set(ODDITIES)


@pytest.mark.parametrize("name", EXACT)
def test_an_image_is_what_was_saved(tmp_path, name):
    assert np.array_equal(pixels(ODD[name](tmp_path)), picture())


@pytest.mark.parametrize("name", GREY)
def test_more_than_8_bits_become_8(tmp_path, name):
    assert np.array_equal(pixels(ODD[name](tmp_path)), np.repeat(grey()[..., None], 3, 2))


def test_16_bits_are_rounded(tmp_path):
    Image.fromarray(np.array([[0, 128, 129, 65535 - 128, 65535]], np.uint16)).save(
        tmp_path / "a.png"
    )
    assert pixels(tmp_path / "a.png")[0, :, 0].tolist() == [0, 0, 1, 255, 255]


def test_a_constant_image_without_a_range_is_black(tmp_path):
    Image.fromarray(np.full((4, 4), 7.5, np.float32)).save(tmp_path / "a.tif")
    assert (pixels(tmp_path / "a.tif") == 0).all()


@pytest.mark.parametrize("name", TRANSPARENT)
@pytest.mark.parametrize(("colour", "shade"), [(WHITE, 255), ("#808080", 128)])
def test_what_is_transparent_shows_the_background(tmp_path, name, colour, shade):
    found = pixels(ODD[name](tmp_path), background=colour)
    assert (found[:, WIDE // 2 + 1 :] == shade).all()
    left = (255, 255, 255) if name.endswith("LA") else (255, 0, 0)
    assert (found[:, : WIDE // 2 - 1] == left).all()


def test_half_transparent_is_mixed(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert np.unique(pixels(tmp_path / "a.png")).tolist() == [127]


def test_print_colours_are_not_inverted(tmp_path):
    assert np.abs(pixels(ODD["CMYK"](tmp_path)) - picture()).mean() < 8


@pytest.mark.parametrize("name", [n for n in ODD if n.startswith("turned")])
def test_a_photograph_is_turned_as_exif_asks_if_that_is_asked_for(tmp_path, name):
    path = ODD[name](tmp_path)
    k = 6 if not name[-1].isdigit() else int(name[-1])
    with Image.open(path) as file:
        wanted = np.asarray(ImageOps.exif_transpose(file)).astype(int)
    assert np.array_equal(pixels(path, upright=True), wanted)
    assert (pixels(path, upright=True).shape[:2] == (WIDE, HIGH)) == (k >= 5)
    if not name.endswith("TIFF"):  # which Pillow turns in any case
        assert pixels(path).shape[:2] == (HIGH, WIDE)


def test_exif_6_is_a_quarter_to_the_right(tmp_path):
    found = pixels(ODD["turned 6"](tmp_path), upright=True)
    assert np.array_equal(found, np.rot90(picture(), -1))


def test_torn_exif_turns_nothing(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff", quality=95)
    assert decode(tmp_path / "a.jpg", upright=True).oddities == ()


def test_of_a_panorama_the_middle_is_read(tmp_path):
    width = MOST_OBLONG * 4 + 2
    line = np.zeros((2, width, 3), np.uint8)
    line[:, width // 2 - 1 : width // 2 + 1] = 200
    Image.fromarray(line).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", 16) == 200).all()


def test_a_long_row_takes_no_memory(tmp_path):
    Image.new("L", (20_000, 1), 9).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", 256) == 9).all()


def test_an_index_says_how_an_image_is_read(tmp_path):
    Image.fromarray(picture(width=16)).save(tmp_path / "turned.png", exif=exif_of(3))
    Image.new("RGBA", (16, 16)).save(tmp_path / "clear.png")
    rows = [("train", 0, "a", name) for name in ("turned.png", "clear.png")]
    ImageIndex.write(tmp_path / "plain.tsv", rows)
    readings = {"turned.png": "upright", "clear.png": "#0000ff"}
    ImageIndex.write(tmp_path / "index.tsv", rows, readings)
    plain, index = (ImageIndex.read(tmp_path / name) for name in ("plain.tsv", "index.tsv"))
    assert plain.rows == index.rows
    assert (plain.readings, index.readings) == ({}, readings)
    assert np.array_equal(index.images("train", 16)[0], plain.images("train", 16)[0, :, ::-1, ::-1])
    assert index.images("train", 16)[1, :, 0, 0].tolist() == [0, 0, 255]
    assert plain.images("train", 16)[1, :, 0, 0].tolist() == [255, 255, 255]
