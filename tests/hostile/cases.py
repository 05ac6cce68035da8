"""Inputs as test cases: a test per input, beside the stock server."""

import re
import unittest

import measure


def tests_of(module_name, inputs):
    """A TestCase with a test for each of INPUTS."""
    def test(what):
        def run(self):
            found = measure.compare(what)
            print(f"{what.name} | {found.ours} | {found.stock or '-'}", flush=True)
            self.assertEqual(found.faults(), [])
        run.__doc__ = what.name
        return run

    members = {"test_" + re.sub(r"\W+", "_", what.name).strip("_").lower(): test(what) for what in inputs if not what.by_hand}
    assert len(members) == sum(not what.by_hand for what in inputs), "two inputs of one name"
    return type("Hostile", (unittest.TestCase,), members | {"__module__": module_name})


def main():
    unittest.main(verbosity=2, warnings="ignore")
