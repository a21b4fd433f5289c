import os
import subprocess
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path


def repository(source):
    """The folder of this repository, by the source of the folder of its Snakefile.

    As a module, Snakemake may read the workflow file by file out of a repository of git
    (``github(...)``, ``git+file:``), where Python finds no package: what Snakemake itself does not
    fetch is then checked out in the folder that it runs in, once a commit.
    """
    if hasattr(source, "hosted_repo"):  # of a host, of which Snakemake keeps a clone
        return checked_out(source.hosted_repo.repo_clone, source.ref)
    if hasattr(source, "repo_path"):
        return checked_out(source.repo_path, source.ref)
    return Path(str(source)).parent


def checked_out(clone, ref):
    """The package, the schemas and the default's files at a commit of a clone."""
    git = ["git", "-C", str(clone)]
    commit = subprocess.check_output([*git, "rev-parse", f"{ref}^{{commit}}"], text=True).strip()
    place = Path(".snakemake", "lighthouse", commit).absolute()
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        packed = subprocess.check_output([*git, "archive", commit, "workflow", "config"])
        with tempfile.TemporaryDirectory(dir=place.parent) as beside:
            with tarfile.open(fileobj=BytesIO(packed)) as tar:
                tar.extractall(f"{beside}/whole", filter="data")
            try:
                os.rename(f"{beside}/whole", place)
            except OSError:
                if not place.is_dir():  # another process was not first
                    raise
    return place
