# SPDX-License-Identifier: Apache-2.0
"""A build backend (PEP 517) for a pure package: a wheel is a zip file of it with three files about it (docs/adr/0138)."""
import base64
import hashlib
import re
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def project():
    """The strings of pyproject.toml's [project]; tomllib is not in every Python that this package serves."""
    section = (HERE / "pyproject.toml").read_text(encoding="utf-8").partition("[project]\n")[2].partition("\n[")[0]
    return dict(re.findall(r'^([\w-]+) = "(.*)"$', section, re.MULTILINE))


def about():
    facts = project()
    return {"METADATA": f"Metadata-Version: 2.1\nName: {facts['name']}\nVersion: {facts['version']}\n"
                        f"Summary: {facts['description']}\nLicense: Apache-2.0\n"
                        f"Requires-Python: {facts['requires-python']}\n",
            "WHEEL": "Wheel-Version: 1.0\nGenerator: wheel_backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    facts = project()
    stem = f"{facts['name']}-{facts['version']}"
    files = {str(path.relative_to(HERE)): path.read_bytes()
             for path in sorted((HERE / facts["name"]).iterdir()) if path.suffix == ".py" or path.name == "py.typed"}
    files |= {f"{stem}.dist-info/{name}": text.encode() for name, text in about().items()}
    record = ""
    name = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
            wheel.writestr(path, data)
        wheel.writestr(f"{stem}.dist-info/RECORD", record + f"{stem}.dist-info/RECORD,,\n")
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the source is the tree of xl++")
