"""An image file decoded, whatever it holds, as RGB of 8 bits: for all that reads images."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lighthouse.datasets.kinds import FORMAT_OF, other_by_bytes
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import ENDLESS, endless

#: What is decoded, whatever a file's name: for others Pillow would start programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
#: How many times as long as wide an image may be to be scaled whole. Of one beyond, the centre is
#: cut out first: 20,000 pixels beside one would be 5,120,000 at a height of 256.
MOST_OBLONG = 100
#: The colour behind transparency, unless a dataset says another.
WHITE = "#ffffff"
#: The numbers by which EXIF asks for a turn; 1 asks for none.
TURNS = range(2, 9)

#: What may be odd about an image that is read all the same, and what is done with it.
ODDITIES = {
    "turned": "Set upright, as the camera noted in EXIF",
    "transparent": "Laid on the colour {background}, since parts are transparent",
    "deep": "Scaled from 16 bits a pixel to 8 (divided by 257)",
    "unit": "Scaled from numbers of 0 to 1 to 8 bits (times 255)",
    "stretched": "Scaled to 8 bits from the least to the largest number of each image, since its "
    "format names no range",
    "frames": "Taken by the first frame or page of several",
    "print": "Converted from print colours (CMYK) without a colour profile",
    "misnamed": "Read by content, since the name's ending promises another format",
    "unnamed": "Read by content, since the name has no ending of an image",
    "oblong": f"Cut to the middle before scaling, since they are more than {MOST_OBLONG} times "
    "as long as wide",
}


@dataclass(frozen=True)
class Decoded:
    """An image, RGB, and what is odd about its file: keys of ``ODDITIES``."""

    image: Image.Image
    oddities: tuple[str, ...]


def decode(path: Path, background: str = WHITE, upright: bool = False) -> Decoded:
    """An image decoded whole, of several frames the first.

    background: the colour, ``#rrggbb``, that shows through transparency. upright: turn it as
    EXIF asks, as ImageNet's pipelines do not. Raises ``DataError``, naming the file, if it cannot
    be decoded, and says what it is if that is known.
    """
    try:
        if endless(path):
            raise DataError(f"{path}: {ENDLESS}")
        with Image.open(path, formats=FORMATS) as file:
            odd = [*_about(path, file)]
            file.load()
            turned = upright and _set_upright(file)
            image, how = _rgb(file, background)
        odd += how + ["turned"] * turned
        if max(image.size) > MOST_OBLONG * min(image.size):
            odd.append("oblong")
        return Decoded(image, tuple(odd))
    except DataError:
        raise
    except Image.DecompressionBombError:
        most = 2 * Image.MAX_IMAGE_PIXELS
        raise DataError(f"{path}: more than {most} pixels; scale it down") from None
    except UnidentifiedImageError:
        what = _otherwise(path) or "not an image of a known format"
        raise DataError(f"{path}: {what}") from None
    except Exception as error:  # decoders raise errors of many kinds at broken files
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{path}: {reason}") from None


def centre_first(image: Image.Image) -> Image.Image:
    """An image, or of one that is too oblong to be scaled whole the square in its middle."""
    short = min(image.size)
    if max(image.size) <= MOST_OBLONG * short:
        return image
    left, top = ((side - short) // 2 for side in image.size)
    return image.crop((left, top, left + short, top + short))


def _about(path: Path, file: Image.Image) -> list[str]:
    """What is odd about a file before it is decoded."""
    odd = []
    suffix = path.suffix.lower()
    # MPO is a JPEG that holds previews too, as telephones write it.
    found = "JPEG" if file.format == "MPO" else file.format
    if suffix not in FORMAT_OF:
        odd.append("unnamed")
    elif FORMAT_OF[suffix] != found:
        odd.append("misnamed")
    if file.format != "MPO" and getattr(file, "n_frames", 1) > 1:
        odd.append("frames")
    return odd


def _set_upright(file: Image.Image) -> bool:
    """Turn an image as EXIF asks; whether it did. After ``load``, when Pillow has turned a TIFF."""
    with suppress(Exception):  # of torn EXIF, which makes no image worse
        if file.getexif().get(ExifTags.Base.Orientation) in TURNS:
            ImageOps.exif_transpose(file, in_place=True)
            return True
    return False


def _rgb(file: Image.Image, background: str) -> tuple[Image.Image, list[str]]:
    """An image as RGB of 8 bits, and what was odd about it."""
    mode = file.mode
    if mode.startswith(("I", "F")):
        return _of_numbers(file)
    if "A" in mode or "a" in mode or "transparency" in file.info:
        clear = file.convert("RGBA")
        if clear.getextrema()[3][0] == 255:  # nothing shows through
            return clear.convert("RGB"), []
        behind = Image.new("RGBA", clear.size, background)
        return Image.alpha_composite(behind, clear).convert("RGB"), ["transparent"]
    return file.convert("RGB"), ["print"] if mode == "CMYK" else []


def _of_numbers(file: Image.Image) -> tuple[Image.Image, list[str]]:
    """A grey image of integers of 16 or 32 bits or of floats."""
    values = np.asarray(file)
    # Pillow gives the integers of a PGM beyond 8 bits as of 16.
    if file.mode.startswith("I;16") or file.format == "PPM":
        return _grey((values.astype(np.int64) + 128) // 257), ["deep"]
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("holds numbers that are not finite")
    least, most = float(values.min()), float(values.max())
    if file.mode == "F" and least >= 0 and most <= 1:
        return _grey(np.rint(255 * values)), ["unit"]
    width = most - least or 1.0
    return _grey(np.rint(255 * ((values - least) / width))), ["stretched"]


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.astype(np.uint8)).convert("RGB")


def _otherwise(path: Path) -> str | None:
    """What a file is that is no image that is read here, if its first bytes tell."""
    with suppress(OSError), path.open("rb") as file:
        return other_by_bytes(file.read(512))
    return None
