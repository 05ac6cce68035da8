"""The databases that servers are attacked with: OVN's Southbound schema, empty or with many flows."""

import importlib.util
import lzma
import os
import pathlib
import shutil
import tempfile

from harness import environment
from harness.server import create_database

DB = "OVN_Southbound"
SCHEMA = environment.OVN_SCHEMAS / "ovn-sb.ovsschema"
# small (10,000 flows), medium (40,000) or large (100,000): CI takes what starts soon, tables for notes the large one.
SIZE = os.environ.get("TANDEM_HOSTILE_SIZE", "small")

# What an honest client does: a commit, of a table with few rows.
SMALL_CHANGE = (
    {"op": "delete", "table": "Address_Set", "where": [["name", "==", "bystander"]]},
    {"op": "insert", "table": "Address_Set", "row": {"name": "bystander"}},
)


def _shared(size):
    """The file of the shared data, or one that looks like it."""
    def make(path):
        archive = environment.SHARED_DATA / f"sb-{size}.db.xz"
        if archive.is_file():
            with lzma.open(archive) as source, open(path, "wb") as file:
                shutil.copyfileobj(source, file)
        else:
            place = environment.SOURCE / "bench" / "harness" / "synthetic.py"
            spec = importlib.util.spec_from_file_location("synthetic", place)
            synthetic = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(synthetic)
            synthetic.make(f"sb-{size}", path)

    return make


MAKERS = {
    "empty": None,
    "flows": _shared(SIZE),
}
_made = {}


def make(name, scratch):
    """A fresh copy of database NAME in SCRATCH; its file name."""
    if MAKERS[name] is None:
        create_database(scratch, "sb.db", SCHEMA)
    else:
        if name not in _made:
            _made[name] = tempfile.TemporaryDirectory(prefix="tandem-test-data-")
            MAKERS[name](pathlib.Path(_made[name].name) / "sb.db")
        shutil.copy(pathlib.Path(_made[name].name) / "sb.db", scratch.path / "sb.db")
    return "sb.db"
