#!/usr/bin/python3
"""The pages name files that are there: each path in backticks with a folder and an ending, and each relative link.

A path is relative to the project, or, if the page says so by naming the folder before, to a folder of the sources: then
one file must end like it. CHANGELOG.md begins with the version that is built. Prints what is wrong; exit status 1 if
anything is.
"""

import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
# Of our own: a source, a test, a page. Others (/etc/..., NAME.mending) are files of a site.
PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:h|cc|py|md|sh|yml|json|cfg))(?:::[^`]*)?`")
VERSION = re.compile(r"project\(tandem VERSION (\S+)")
NEWEST = re.compile(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def main():
    names = subprocess.run(["git", "-C", PROJECT, "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
    files = {name for name in names if name}
    endings = {"/".join(pathlib.PurePath(name).parts[start:]) for name in files
               for start in range(len(pathlib.PurePath(name).parts))}
    wrong = seen = 0
    built = VERSION.search((PROJECT / "CMakeLists.txt").read_text())[1]
    if NEWEST.search((PROJECT / "CHANGELOG.md").read_text())[1] != built:
        wrong += 1
        print(f"CHANGELOG.md does not begin with version {built}")
    for page in sorted(name for name in files if name.endswith(".md")):
        text = (PROJECT / page).read_text()
        for number, line in enumerate(text.splitlines(), 1):
            for path in PATH.findall(line):
                seen += 1
                if path not in endings:
                    wrong += 1
                    print(f"{page}:{number}: there is no {path}")
            for link in LINK.findall(line):
                seen += 1
                if not (PROJECT / page).parent.joinpath(link).exists():
                    wrong += 1
                    print(f"{page}:{number}: there is no {link}")
    print(f"{seen} files named in pages")
    return 1 if wrong or seen == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
