# Checks out the repository of a Snakefile that Snakemake reads from a hosting service.

import os
import tempfile
from pathlib import Path


def checked_out(source):
    """Check out the repository of a file, once per commit; return the path of the top-level Snakefile.

    Snakemake clones the repository and extracts only the files that rules name; scripts need the package as well.
    """
    repository = source.hosted_repo.repo
    commit = repository.commit(source.ref).hexsha
    folder = Path(".snakemake", "polyfacet", commit).absolute()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            clone = repository.clone(Path(temporary, commit))
            clone.git.checkout("--quiet", "--detach", commit)
            os.rename(clone.working_dir, folder)
    return str(folder / "Snakefile")
