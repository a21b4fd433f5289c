"""Models of the Hugging Face hub: fetched at a commit, and held to the digests of their files."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from lighthouse.diffusion.loading import FOLDERS, WEIGHTS
from lighthouse.runtime.contents import sum_of
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json, whole

HUB = "https://huggingface.co"
#: Files of the repositories that the shipped configs name, by kind of model. The hub is
#: asked for those of any other. Licences: DiT CC-BY-NC-4.0, the autoencoders MIT.
FILES = {
    ("facebook/DiT-XL-2-256", "denoiser"): ("transformer/config.json", f"transformer/{WEIGHTS[1]}"),
    ("stabilityai/sd-vae-ft-mse", "autoencoder"): ("config.json", WEIGHTS[0]),
    ("stabilityai/sd-vae-ft-ema", "autoencoder"): ("config.json", WEIGHTS[0]),
}
#: sha256 of files at a commit, as several public projects list them; of other files, the DiT's
#: among them, what the hub lists beside them is compared, and then what was found at first.
PUBLISHED = {
    ("stabilityai/sd-vae-ft-mse", "31f26fdeee1355a5c34592e401dd41e45d25a493"): {
        "config.json": "92d3dfb746fca211a2c9e019e285f8597412211728dce3c5bcf4eda0f2d62e7e",
        WEIGHTS[0]: "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815",
    },
    ("stabilityai/sd-vae-ft-ema", "f04b2c4b98319346dad8c65879f680b1997b204a"): {
        "config.json": "92d3dfb746fca211a2c9e019e285f8597412211728dce3c5bcf4eda0f2d62e7e",
        WEIGHTS[0]: "32db726da04f06c1b6b14c0043ce115cc87a501482945c5add89a40d838fcb46",
    },
}


def fetch_pretrained(repo: str, revision: str, kinds: Sequence[str], folder: Path) -> dict:
    """Download models of a hub repository at a commit, whole or not at all; return the record.

    ``kinds``: ``denoiser``, ``autoencoder`` or both. Only the models' own files are
    taken. A folder that is there already, put by hand, stays (``fetched`` is False). The record has
    the digest of each file. Raises ``ConnectionError`` that says what to put where by hand,
    and ``DataError`` where the repository holds no such model, or a file is another one than
    is published.
    """
    record = {"repo": repo, "revision": revision, "fetched": not folder.is_dir()}
    published = PUBLISHED.get((repo, revision), {})
    if not record["fetched"]:
        return record | {"sha256": _compared(digests(folder), published, folder)}
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HTTPError

    try:
        files = [
            name
            for kind in kinds
            for name in FILES.get((repo, kind)) or _listed(repo, revision, kind)
        ]
        with whole(folder) as beside:
            snapshot_download(repo, revision=revision, local_dir=beside, allow_patterns=files)
            missing = [name for name in files if not (beside / name).is_file()]
            if missing:
                raise DataError(f"{HUB}/{repo} at {revision} has no {', '.join(missing)}")
            shutil.rmtree(beside / ".cache", ignore_errors=True)  # the client's own notes
            listed = HfApi().get_paths_info(repo, files, revision=revision)
            of_hub = {file.path: file.lfs.sha256 for file in listed if file.lfs}
            found = _compared(digests(beside), of_hub | published, f"{HUB}/{repo} at {revision}")
    except (OSError, HTTPError) as error:
        wanted = "\n".join(_by_hand(repo, revision, kind, folder) for kind in kinds)
        reason = str(error).partition("\n")[0]
        raise ConnectionError(
            f"{repo} could not be fetched from the hub ({type(error).__name__}: {reason}).\n"
            f"Put these files there by hand:\n{wanted}\n"
            f"or set `pretrained` of the dataset's {' and '.join(kinds)} to a local folder, "
            "with `revision: null`."
        ) from None
    return record | {"sha256": found}


def model_at(given: str | Path) -> Path:
    """The folder of a pretrained model: a local one as it is, or that beside a record.

    Raises ``DataError`` where the files of a fetched repository are not those of its record.
    """
    given = Path(given)
    if not given.is_file():
        return given
    folder, recorded = given.with_suffix(""), read_json(given).get("sha256", {})
    found = digests(folder)
    strange = sorted(found.keys() - recorded.keys())
    if strange or not recorded:
        raise DataError(
            f"{folder}: {given} has no digest of {', '.join(strange) or 'any file'}; remove "
            "that record, and the next run makes another one of the files as they are"
        )
    _compared(found, recorded, folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of each file below a folder but hidden ones, by its path there."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = ((path.relative_to(folder), path) for path in files)
    return {
        name.as_posix(): sum_of(path)
        for name, path in names
        if not any(part.startswith(".") for part in name.parts)
    }


def _compared(found: dict[str, str], wanted: dict[str, str], place: object) -> dict[str, str]:
    """What was found; raises ``DataError`` where a file that is wanted is another one."""
    for name in found.keys() & wanted.keys():
        if found[name] != wanted[name]:
            raise DataError(
                f"{place}: {name} is another file (sha256 {found[name]}, not {wanted[name]}); "
                "for another download remove the folder and the record beside it"
            )
    return found


def _listed(repo: str, revision: str, kind: str) -> list[str]:
    """Config and weights among the files of a repository."""
    from huggingface_hub import HfApi

    present = HfApi().list_repo_files(repo, revision=revision)
    for prefix in (f"{FOLDERS[kind]}/", ""):
        weights = [prefix + name for name in WEIGHTS if prefix + name in present]
        if f"{prefix}config.json" in present and weights:
            return [f"{prefix}config.json", weights[0]]
    raise DataError(
        f"{HUB}/{repo} at {revision} holds no {kind} in diffusers' format: neither "
        f"{FOLDERS[kind]}/ nor the repository itself has a config.json beside {WEIGHTS[0]}"
    )


def _by_hand(repo: str, revision: str, kind: str, folder: Path) -> str:
    """Which files from where to where, a line each."""
    known = FILES.get((repo, kind))
    if known:
        page = f"{HUB}/{repo}/resolve/{revision}"
        return "\n".join(f"  {page}/{name}\n    -> {Path(folder) / name}" for name in known)
    return (
        f"  config.json and {WEIGHTS[0]} (or {WEIGHTS[1]}),\n"
        f"  from {HUB}/{repo}/tree/{revision}/{FOLDERS[kind]} if there is that folder\n"
        f"    -> {Path(folder) / FOLDERS[kind]}\n"
        f"  or else from {HUB}/{repo}/tree/{revision}\n    -> {folder}"
    )
