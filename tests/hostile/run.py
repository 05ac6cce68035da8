#!/usr/bin/python3
"""Runs hostile inputs against ours and Debian's stock server: run.py [KIND...] [--table] [--only TEXT] [--stock]

Without --table it says what fails and exits 1 if something does; with it, a line an input for notes:
input | ours: CPU, memory, longest wait of others | stock's | what is too much
"""

import argparse
import importlib
import sys

import measure

KINDS = ("memory", "work", "sets", "background", "control", "http_status", "logs", "tls", "configuration")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=KINDS, help=" ".join(KINDS))
    parser.add_argument("--table", action="store_true", help="print a line an input, measured once")
    parser.add_argument("--only", default="", help="inputs whose names have this text")
    arguments = parser.parse_args()
    bad = 0
    for kind in arguments.kinds or KINDS:
        for what in importlib.import_module(kind).INPUTS:
            if arguments.only not in what.name:
                continue
            found = measure.compare(what, tries=1 if arguments.table else measure.TRIES)
            bad += bool(found.faults())
            verdict = "; ".join(found.faults()) or "ok"
            print(f"{kind} | {what.name} | {found.ours} | {found.stock or '-'} | {verdict}", flush=True)
    sys.exit(0 if arguments.table or not bad else 1)


if __name__ == "__main__":
    main()
