#!/usr/bin/python3
"""The inputs of configuration.py, on ours and on the stock server."""

import cases
import configuration

Hostile = cases.tests_of(__name__, configuration.INPUTS)

if __name__ == "__main__":
    cases.main()
