#!/usr/bin/python3
"""A few of growth.py's operations: what they cost at 4n against n, in instructions of the server."""

import unittest

import growth


class Growth(unittest.TestCase):
    def test_growth(self):
        for operation in growth.OPERATIONS:
            if not operation.quick:
                continue
            with self.subTest(operation.name):
                small, large, ratio = growth.growth(operation)
                print(f"{operation.name} | {operation.n} | {small:,} | {large:,} | {ratio:.1f}", flush=True)
                self.assertLess(ratio, operation.most)


if __name__ == "__main__":
    unittest.main(verbosity=2)
