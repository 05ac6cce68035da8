"""Plays a case on several servers side by side and finds the first answer in which they differ."""

import dataclasses
import hashlib
import itertools
import json
import random
import re
import time

from harness.scratch import Scratch
from normalisations import (has_long_real, is_wait_for_zero, is_weak_collision, is_zero_collision, without_pair,
                            without_place, without_value)
from participant import Died, Misread, Participant

_VARIANTS_AT_ONCE = 5
_DEATH_S = 0.3  # between a connection's end and that of its process
_PATIENCE = 6  # how many times more variants it may take to meet a row as the first of many
_VERIFIED = 0.03  # of the differences that look like mere order, how many are verified
_VERSION = re.compile(r"version \d+")
_NAME = re.compile(r'"([cT]\d+)"')


class CutShort(Exception):
    """The reference server died and the candidate did not, or stock misread a file: nothing can be compared."""


@dataclasses.dataclass
class Difference:
    """The step that was answered differently (-1: the end), and both answers to it."""

    step: int
    expected: str
    actual: str


class Contest:
    """The servers of one case, each with a salt of its own or all with the same; a context manager."""

    def __init__(self, case, binaries, salts):
        self.case = case
        self.scratch = Scratch()
        self.participants = []
        try:
            for number, (binary, salt) in enumerate(zip(binaries, salts)):
                self.participants.append(Participant(self.scratch, f"p{number}", binary, case, salt))
        except BaseException:
            self.scratch.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.scratch.close()

    def play(self, step):
        """Plays STEP on all; returns each one's list of answers."""
        if step["do"] not in ("restart", "swap"):
            for participant in self.participants:
                participant.begin(step)
            return [participant.finish(step) for participant in self.participants]
        stored = [participant.stored() for participant in self.participants]
        self.stop()
        if any(has_long_real((self.scratch.path / p.file).read_text()) for p in self.participants):
            raise CutShort("stock loses the last digits of a real when it is restarted")
        if step["do"] == "swap":
            belongings = [(p.file, p.names) for p in self.participants]
            for participant, (file, names) in zip(self.participants, belongings[1:] + belongings[:1]):
                participant.file, participant.names = file, names
            stored = stored[1:] + stored[:1]
        for participant in self.participants:
            participant.start()
        read_well = [participant.stored() == before for participant, before in zip(self.participants, stored)]
        if not read_well[0] and all(read_well[1:]):
            raise CutShort("the reference has read its file wrongly")
        return [[f"read well: {well}", *participant.dump()]
                for participant, well in zip(self.participants, read_well)]

    def stop(self):
        for participant in self.participants:
            participant.stop()


def compare(case, reference, candidate, script=None, variants=60):
    """Plays CASE on both; returns the first Difference that the reference does not show by itself, or None.

    That is decided by up to VARIANTS replays on the reference.

    With SCRIPT, the steps are written into the case as it is played. Raises CutShort.
    """
    with Contest(case, [reference, candidate], ["", ""]) as contest:
        number = 0
        while step := _next_step(case, number, script, contest.participants[0]):
            try:
                expected, actual = contest.play(step)
            except Died as error:
                return _death(contest, number, error)
            except Misread as error:
                raise CutShort(str(error)) from error
            if expected != actual:
                if any(is_zero_collision(*pair, contest.participants[0].schema) for pair in zip(expected, actual)):
                    raise CutShort("stock takes 0 and -0 for two values in an index")
                if any(is_wait_for_zero(*pair, step) for pair in zip(expected, actual)):
                    raise CutShort("stock takes 0 and -0 for two values in a wait")
                if any(is_weak_collision(*pair) for pair in zip(expected, actual)):
                    raise CutShort("stock has overlooked a weak reference in a transaction that has other faults, too")
                if not _varies(case, reference, number, expected, actual, variants):
                    return _difference(contest, reference, number, expected, actual)
                _check_states(contest)
            late = _late_updates(*contest.participants)
            if late:
                return Difference(number, *late)
            number += 1
        try:
            expected, actual = (participant.dump() for participant in contest.participants)
            if expected != actual:
                return _difference(contest, reference, -1, expected, actual)
            contest.stop()
        except Died as error:
            return _death(contest, -1, error)
    return None


def _late_updates(reference, candidate):
    """How many updates came before a reply, on both, where the candidate was late with one; or None."""
    for reply, expected in reference.notes_before.items():
        actual = candidate.notes_before.get(reply, expected)
        if actual < expected:
            return f"{expected} updates before the reply to (session, request) {reply}", f"{actual} updates"
    return None


def _check_states(contest):
    """After answers that were both right: raises CutShort when they have led to different contents."""
    one, other = (participant.dump() for participant in contest.participants)
    if one != other:
        raise CutShort("both right, but different from here on")


def _next_step(case, number, script, reference):
    if number < len(case["steps"]):
        return case["steps"][number]
    return script.next_step(reference.rows, reference.schema) if script else None


def _death(contest, number, error):
    """The servers' fates as a Difference; CutShort when only the reference died, as it does at times."""
    time.sleep(_DEATH_S)
    reference, candidate = (p.server.alive() for p in contest.participants)
    if candidate and not reference:
        raise CutShort(f"the reference died at step {number}: {error}")
    return Difference(number, f"alive: {reference}", f"alive: {candidate}; {error}\n{contest.scratch.logs(20)}")


def _difference(contest, reference, number, expected, actual):
    """The first pair of answers that differs in more than order, or else at all."""
    if contest.participants[0].dangles() or _dangled(contest.case, reference, number):
        raise CutShort(f"the reference left a weak reference dangling by step {number}")
    pairs = list(itertools.zip_longest(expected, actual, fillvalue="nothing"))
    for form in (without_place, str):
        for one, other in pairs:
            if form(one) != form(other):
                return Difference(number, one, other)
    raise AssertionError("no difference")


def _dangled(case, reference, number):
    """True when a weak reference dangles between two requests of step NUMBER."""
    if number < 0 or case["steps"][number]["do"] != "send":
        return False
    with Contest(case, [reference], [""]) as contest:
        try:
            for step in case["steps"][:number]:
                contest.play(step)
            for request in case["steps"][number]["requests"]:
                contest.play({**case["steps"][number], "requests": [request]})
                if contest.participants[0].dangles():
                    return True
        except (Died, Misread) as error:
            raise CutShort(str(error)) from error
    return False


def _renamed(case, suffix):
    """CASE with other names of tables and columns, which keep their order."""
    return json.loads(_NAME.sub(rf'"\1{suffix}"', json.dumps(case)))


def _varies(case, reference, number, expected, actual, variants):
    """True when the reference itself gives ACTUAL at times.

    Where a transaction breaks several rules, which one is named depends on UUIDs, which differ from
    run to run, and on the names of tables and columns. What looks so is believed for the most part; all else, and
    a sample, is verified: the case is replayed on several references with other UUIDs and other names
    to see what they say.
    """
    if len(expected) != len(actual):
        return False
    order_only = all(without_place(one) == without_place(other) for one, other in zip(expected, actual))
    if order_only and random.Random(f"{case['seed']} {number}").random() >= _VERIFIED:
        return True
    value_only = all(without_value(one) == without_value(other) for one, other in zip(expected, actual))
    if value_only:
        variants *= _PATIENCE
    seen = {}

    def form(text):
        # Versions are numbered as they are met, and a replay meets fewer.
        return _VERSION.sub("version", (without_pair if order_only else without_place)(text))

    wanted = {place: form(other) for place, (one, other) in enumerate(zip(expected, actual))
              if form(one) != form(other)}
    for first in range(0, variants, _VARIANTS_AT_ONCE):
        salts = [f"salt {first + i}" for i in range(_VARIANTS_AT_ONCE)]
        suffix = "x" + hashlib.md5(str(first).encode()).hexdigest() if first else ""
        variant = _renamed(case, suffix)
        try:
            with Contest(variant, [reference] * _VARIANTS_AT_ONCE, salts) as contest:
                for step in variant["steps"][:number]:
                    contest.play(step)
                answers = [[re.sub(rf"\b([cT]\d+){suffix}\b", r"\1", text) for text in answer]
                           for answer in contest.play(variant["steps"][number])]
        except (Died, Misread) as error:
            raise CutShort(str(error)) from error
        for answer in answers:
            if len(answer) == len(expected):
                for place in wanted:
                    seen.setdefault(place, {form(expected[place])}).add(form(answer[place]))
                wanted = {place: text for place, text in wanted.items() if form(answer[place]) != text}
        if not wanted:
            break
    # A rare row need not have come first in any replay: it is enough that the reference names several.
    return not wanted or value_only and all(len(seen.get(place, ())) > 1 for place in wanted)
