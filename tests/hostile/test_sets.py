#!/usr/bin/python3
"""The inputs of sets.py, on ours and on the stock server."""

import cases
import sets

Hostile = cases.tests_of(__name__, sets.INPUTS)

if __name__ == "__main__":
    cases.main()
