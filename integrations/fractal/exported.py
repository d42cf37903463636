"""What Fractal collects of a program omtask: a folder with it and its manifest, or a wheel."""

import subprocess
from pathlib import Path

MANIFEST = "__FRACTAL_MANIFEST__.json"


FORMS = "parallel,non_parallel,compound"


def install(program: Path, folder: Path, forms: str = FORMS) -> Path:
    """Makes a folder as `make install` does, with the manifest; returns the manifest."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "bin/omtask").symlink_to(program.resolve())
    manifest = folder / MANIFEST
    export = [program, "manifest", "export", "--forms", forms]
    text = subprocess.run(export, stdout=subprocess.PIPE, text=True, check=True).stdout
    manifest.write_text(text)
    return manifest


def wheel(program: Path, folder: Path, python: Path) -> Path:
    """Builds the wheel of the exported Python package below a folder."""
    source, built = folder / "package", folder / "wheels"
    subprocess.run([program, "manifest", "export", "--output", source], check=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", built, source], check=True)
    return next(built.glob("*.whl"))
