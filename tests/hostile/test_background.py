#!/usr/bin/python3
"""The inputs of background.py, on ours and on the stock server."""

import cases
import background

Hostile = cases.tests_of(__name__, background.INPUTS)

if __name__ == "__main__":
    cases.main()
