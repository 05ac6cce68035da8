#!/usr/bin/python3
"""The inputs of http_status.py, on ours and on the stock server."""

import cases
import http_status

Hostile = cases.tests_of(__name__, http_status.INPUTS)

if __name__ == "__main__":
    cases.main()
