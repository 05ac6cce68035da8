#!/usr/bin/python3
"""The inputs of logs.py, on ours and on the stock server."""

import cases
import logs

Hostile = cases.tests_of(__name__, logs.INPUTS)

if __name__ == "__main__":
    cases.main()
