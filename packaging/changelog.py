#!/usr/bin/python3
"""Makes debian/changelog of CHANGELOG.md: changelog.py VERSION < CHANGELOG.md.

VERSION is the newest entry's, or one that comes after it, such as 0.2.0+1 of a rebuild: that gets an entry of its own.
"""

import datetime
import pathlib
import re
import sys
import textwrap

CONTROL = pathlib.Path(__file__).with_name("debian") / "control"
RELEASE = re.compile(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", re.MULTILINE)


def entry(version, changes, date):
    maintainer = re.search(r"^Maintainer: (.*)$", CONTROL.read_text(), re.MULTILINE)[1]
    when = datetime.datetime.fromisoformat(date).strftime("%a, %d %b %Y 00:00:00 +0000")
    lines = [f"tandem ({version}) unstable; urgency=medium", ""]
    for change in changes:
        lines += textwrap.wrap(change, 76, initial_indent="  * ", subsequent_indent="    ", break_long_words=False,
                               break_on_hyphens=False)
    return "\n".join(lines + ["", f" -- {maintainer}  {when}", ""])


def releases(text):
    """Version, date and changes of each release, the newest first."""
    parts = RELEASE.split(text)[1:]
    for version, date, body in zip(*[iter(parts)] * 3):
        changes = [" ".join(change.split()) for change in re.findall(r"^- (.*(?:\n  .*)*)", body, re.MULTILINE)]
        yield version, date, changes


def main():
    version = sys.argv[1]
    entries = list(releases(sys.stdin.read()))
    if version != entries[0][0]:
        entries.insert(0, (version, entries[0][1], ["Built anew."]))
    print("\n".join(entry(version, changes, date) for version, date, changes in entries), end="")


if __name__ == "__main__":
    main()
