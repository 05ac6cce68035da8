#!/usr/bin/python3 -B
"""The rules of the house that a program can check: rooms.py

A room is a folder that CMake makes a library of (tandem_room in CMakeLists.txt). Its files include those of their own
room and of the rooms that it links, directly or through others; a room links only rooms that stand before it, so that
no arrow leads up. No file is longer than MOST_LINES.
"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TREES = ("protocol", "replication", "server", "ocf")
MOST_LINES = 350


def read_rooms():
    """Folder by name, and the names of all rooms that each may use."""
    folders, uses, faults = {}, {}, []
    text = "".join((SOURCE / page).read_text() for page in ("CMakeLists.txt", "ocf/CMakeLists.txt"))
    for name, folder, links in re.findall(r"^tandem_room\((\w+) (\S+)([^)]*)\)", text, re.M):
        folders[name] = folder
        uses[name] = {name}
        for link in re.findall(r"\btandem_(\w+)", links):
            if link not in uses:
                faults.append(f"room {name} links {link}, which does not stand before it")
                continue
            uses[name] |= uses[link]
    return folders, uses, faults


def room_of(path, folders):
    """The room with the longest folder that holds PATH."""
    holding = [name for name, folder in folders.items() if path.startswith(folder + "/")]
    return max(holding, key=lambda name: len(folders[name]), default=None)


def main():
    folders, uses, faults = read_rooms()
    files = sorted(path for tree in TREES for path in (SOURCE / tree).rglob("*") if path.suffix in (".h", ".cc"))
    arrows = 0
    for path in files:
        name = str(path.relative_to(SOURCE))
        text = path.read_text()
        if text.count("\n") > MOST_LINES:
            faults.append(f"{name}: {text.count(chr(10))} lines, more than {MOST_LINES}")
        room = room_of(name, folders)
        for included in re.findall(r'^#include "([^"]+)"', text, re.M):
            arrows += 1
            target = room_of(included, folders)
            # What stands beside the rooms (a program's main.cc) may use them all.
            if target is None or (room is not None and target not in uses[room]):
                faults.append(f"{name}: room {room} may not include {included}")
    print("\n".join(faults) or f"{len(folders)} rooms, {len(files)} files, {arrows} includes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
