"""What a file is, by its name and its first bytes: an image that is read here, or what else.

A name's ending decides little: whatever is not known to be something else is tried by its content.
"""

from pathlib import PurePath

#: Endings of images that are read here, and the format that each promises.
FORMAT_OF = {
    ".bmp": "BMP",
    ".gif": "GIF",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".pgm": "PPM",
    ".png": "PNG",
    ".ppm": "PPM",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
IMAGE_SUFFIXES = frozenset(FORMAT_OF)

HEIC = "a HEIC photograph, which is not read here; save it as JPEG"
AVIF = "an AVIF image, which is not read here; save it as JPEG or PNG"
RAW = "a raw file of a camera, which is not read here; export it as JPEG"
VIDEO = "a video; export some of its frames as JPEG"
SVG = "a drawing (SVG), which has no pixels; export it as PNG"
POSTSCRIPT = "PostScript, which has no pixels; export it as PNG"
PHOTOSHOP = "a Photoshop file, which is not read here; export it as PNG"
PDF = "a PDF, which is not read here; export its pictures as PNG"
ARCHIVE = "an archive; unpack it"
HTML = "a web page, as a failed download leaves it; get the image again"
EMPTY = "an empty file; get the image again"
TEXT = "not an image file: its name ends in {suffix!r}"

#: What files of these endings are, whatever they hold: Pillow would take a raw file's preview.
ENDINGS = {
    HEIC: "heic heif hif",
    AVIF: "avif",
    RAW: "3fr arw cr2 cr3 dng erf kdc mrw nef nrw orf pef raf raw rw2 sr2 srw x3f",
    VIDEO: "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts webm wmv",
    SVG: "svg svgz",
    POSTSCRIPT: "ai eps ps",
    PHOTOSHOP: "psb psd",
    PDF: "pdf",
    ARCHIVE: "7z bz2 gz rar tar tgz xz zip",
    HTML: "htm html",
    TEXT: "aae bin cfg csv db doc docx h5 ini ipynb json jsonl log mat md npy npz parquet pickle "
    "pkl pt pth py rtf sh sqlite toml tsv txt xls xlsx xml xmp yaml yml",
}
BY_SUFFIX = {f".{end}": what for what, ends in ENDINGS.items() for end in ends.split()}
#: Brands of files that are boxes in boxes (ISO 14496-12), as HEIC, AVIF and videos are.
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
#: First bytes, and what the file is then.
BY_BYTES = (
    (b"%PDF", PDF),
    (b"%!PS", POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", POSTSCRIPT),
    (b"8BPS", PHOTOSHOP),
    (b"\x1aE\xdf\xa3", VIDEO),
    (b"\x00\x00\x01\xba", VIDEO),
    (b"PK\x03\x04", ARCHIVE),
    (b"Rar!", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"7z\xbc\xaf", ARCHIVE),
)
#: What systems and programs leave beside images, in lower case. Names that begin with a dot are
#: such, too (.DS_Store, ._a.jpg, .git).
SYSTEM_NAMES = frozenset(
    {
        "$recycle.bin",
        "@eadir",
        "__macosx",
        "desktop.ini",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "icon\r",
        "lost+found",
        "system volume information",
        "thumbs.db",
    }
)


def of_system(name: str) -> bool:
    """Whether a system or a program left it: it is no data, whatever it holds."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def other_by_name(path: PurePath) -> str | None:
    """What a file is that is no image, by its name's ending; None where its content decides."""
    suffix = path.suffix.lower()
    return BY_SUFFIX[suffix].format(suffix=path.suffix) if suffix in BY_SUFFIX else None


def other_by_bytes(head: bytes) -> str | None:
    """What a file is that is no image that is read here, by its first bytes; None of others.

    head: some hundred bytes, or all of a shorter file.
    """
    if not head:
        return EMPTY
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return HEIC if brand in HEIC_BRANDS else AVIF if brand in AVIF_BRANDS else VIDEO
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return VIDEO
    words = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if words.startswith((b"<!doctype html", b"<html")):
        return HTML
    if words.startswith(b"<svg") or (words.startswith(b"<?xml") and b"<svg" in words):
        return SVG
    return next((what for start, what in BY_BYTES if head.startswith(start)), None)
