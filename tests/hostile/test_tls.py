#!/usr/bin/python3
"""The inputs of tls.py, on ours and on the stock server."""

import cases
import tls

Hostile = cases.tests_of(__name__, tls.INPUTS)

if __name__ == "__main__":
    cases.main()
