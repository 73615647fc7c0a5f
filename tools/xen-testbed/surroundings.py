# SPDX-License-Identifier: Apache-2.0
"""What the bed takes from this machine: the prepared image, the QEMU, the folders to have inside."""
import hashlib
import os
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
# dom0 has its own.
SYSTEM = {Path(name) for name in ("/", "/bed", "/bin", "/boot", "/dev", "/etc", "/lib", "/mnt", "/proc", "/run", "/sbin", "/sys", "/tmp",
                                  "/usr", "/var", "/var/tmp")}


def build_folder():
    return Path(os.environ.get("XL_BUILD", TOP / "build"))


def fetched_folder():
    return Path(os.environ.get("XL_FETCHED", build_folder() / "fetched"))


def default_image():
    """Named after its recipe: clones of the tree that share what was fetched have one each where they differ."""
    recipe = b"".join((HERE / name).read_bytes() for name in ("fetch.sh", "image.py"))
    return fetched_folder() / "xen-testbed" / f"image-{hashlib.sha256(recipe).hexdigest()[:12]}"


def what_is_missing(qemu, image):
    if shutil.which(qemu) is None:
        return f"{qemu} is not installed (package qemu-system-x86; ./devtool install-deps)"
    if not (image / "versions").exists():
        return "the image of the Xen test bed is not there (./devtool xen-testbed true makes it)"
    return None


def shared_folders(more):
    """(tag, path) of the folders to have inside, none below another: the tree, its build, where we are, what was asked for."""
    wanted = [TOP, build_folder(), fetched_folder(), Path.cwd(), *map(Path, more)]
    kept = []
    for path in sorted({path.resolve() for path in wanted if path.is_dir()}, key=lambda path: len(path.parts)):
        if path not in SYSTEM and not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return [(f"share{number}", str(path)) for number, path in enumerate(kept)]
