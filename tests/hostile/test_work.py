#!/usr/bin/python3
"""The inputs of work.py, on ours and on the stock server."""

import cases
import work

Hostile = cases.tests_of(__name__, work.INPUTS)

if __name__ == "__main__":
    cases.main()
