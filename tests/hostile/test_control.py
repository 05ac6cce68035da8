#!/usr/bin/python3
"""The inputs of control.py, on ours and on the stock server."""

import cases
import control

Hostile = cases.tests_of(__name__, control.INPUTS)

if __name__ == "__main__":
    cases.main()
