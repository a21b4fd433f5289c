"""Images as people have them: a maker for each odd kind, by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

#: Width and height of most.
WIDE, HIGH = 24, 16


def picture(seed: int = 0, width: int = WIDE, height: int = HIGH) -> np.ndarray:
    """Smooth coloured blobs, (height, width, 3) uint8, which JPEG hardly changes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))


def grey(seed: int = 0) -> np.ndarray:
    """The same in grey, (HIGH, WIDE) uint8, from 0 to 255."""
    found = picture(seed)[..., 0].astype(float)
    return np.rint(255 * (found - found.min()) / (found.max() - found.min())).astype(np.uint8)


def _save(name: str, **options: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        Image.fromarray(picture()).save(folder / name, **options)
        return folder / name

    return make


def _of(name: str, made: Callable[[], Image.Image], **options: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made().save(folder / name, **options)
        return folder / name

    return make


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _clear(mode: str) -> Image.Image:
    """Red on the left, nothing (but black beneath) on the right."""
    pixels = np.zeros((HIGH, WIDE, 4), np.uint8)
    pixels[:, : WIDE // 2] = 255, 0, 0, 255
    if mode == "LA":
        return Image.fromarray(np.ascontiguousarray(pixels[..., [0, 3]]), "LA")
    return Image.fromarray(pixels, "RGBA")


def _clear_palette() -> Image.Image:
    image = Image.new("P", (WIDE, HIGH), 1)
    image.putpalette([255, 0, 0, 0, 0, 0])
    image.paste(0, (0, 0, WIDE // 2, HIGH))
    return image


def _renamed(make: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    return lambda folder: make(folder).rename(folder / name)


def _frames() -> list[Image.Image]:
    return [Image.fromarray(picture(seed)).convert("P") for seed in (0, 1)]


#: Kinds by name: what writes one into a folder and returns its path.
ODD: dict[str, Callable[[Path], Path]] = {
    "plain": _save("a.png"),
    "16-bit PNG": _of("a.png", lambda: Image.fromarray(grey().astype(np.uint16) * 257)),
    "16-bit TIFF": _of("a.tif", lambda: Image.fromarray(grey().astype(np.uint16) * 257)),
    "32-bit TIFF": _of("a.tif", lambda: Image.fromarray(grey().astype(np.int32) * 70000 - 9)),
    "float TIFF of 0 to 1": _of("a.tif", lambda: Image.fromarray(np.float32(grey() / 255))),
    "float TIFF": _of("a.tif", lambda: Image.fromarray(np.float32(grey() * 31.0 - 7))),
    "transparent RGBA": _of("a.png", lambda: _clear("RGBA")),
    "transparent LA": _of("a.png", lambda: _clear("LA")),
    "transparent palette": _of("a.png", _clear_palette, transparency=1),
    "transparent WebP": _of("a.webp", lambda: _clear("RGBA"), lossless=True),
    "opaque RGBA": _of("a.png", lambda: Image.fromarray(picture()).convert("RGBA")),
    "palette": _of("a.png", lambda: Image.fromarray(picture()).quantize(64)),
    "CMYK": _of("a.jpg", lambda: Image.fromarray(picture()).convert("CMYK"), quality=95),
    "animation": _of("a.gif", lambda: _frames()[0], save_all=True, append_images=_frames()[1:]),
    "pages": _of("a.tif", lambda: _frames()[0], save_all=True, append_images=_frames()[1:]),
    "panorama": _of("a.png", lambda: Image.fromarray(picture(width=3000, height=1))),
    "PNG named JPEG": _renamed(_save("a.png"), "a.jpg"),
    "no ending": _renamed(_save("a.png"), "a"),
    "unknown ending": _renamed(_save("a.png"), "a.photo"),
    **{f"turned {k}": _save("a.png", exif=exif_of(k)) for k in range(2, 9)},
    "turned JPEG": _save("a.jpg", exif=exif_of(6), quality=95),
    "turned TIFF": _save("a.tif", exif=exif_of(6)),
    "not turned": _save("a.png", exif=exif_of(1)),
}
