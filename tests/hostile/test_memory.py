#!/usr/bin/python3
"""The inputs of memory.py, on ours and on the stock server."""

import cases
import memory

Hostile = cases.tests_of(__name__, memory.INPUTS)

if __name__ == "__main__":
    cases.main()
