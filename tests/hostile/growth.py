#!/usr/bin/python3
"""How the cost of an operation grows, in instructions of the server: growth.py [--only TEXT] [--quick] [--profile FOLDER]

Each operation runs at n and at 4n on the real server under valgrind's callgrind, which counts from when all is prepared
until the server has nothing more to do. Numbers of instructions hardly differ from run to run, so growth shows at sizes
that take seconds. Where a message and what it meets grow together, 4 is in proportion and 16 is a product of both; where
the message stays and only what it meets grows, 1 is what it should cost. --profile keeps callgrind's files.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import sys
import time
from typing import Callable

import measure
from harness import environment
from harness.scratch import Scratch
from measure import DB
from messages import delete, insert, mutate, request, select, strings, transact, update, uuid, wait_for_nothing

PROPORTION = 5
CONSTANT = 2
# A client may have so much and no more; here the cost of more counts.
BOUNDLESS = tuple(f"--max-{what}=1000000" for what in ("monitors", "locks", "waits"))


@dataclasses.dataclass(frozen=True)
class Operation:
    """`run(target, n)` is counted; what `prepare(target, n)` does before is not."""

    name: str
    n: int
    run: Callable
    prepare: Callable = None
    most: float = PROPORTION
    quick: bool = False  # for CI


# --- what is there before ---

def rows(target, n):
    """So many rows of a table whose values differ."""
    client = target.client()
    for first in range(0, n, 500):
        client.transact(DB, *[insert("Chassis_Private", name=f"c{i}", nb_cfg=i, external_ids=["map", [["k", f"v{i}"]]])
                              for i in range(first, min(n, first + 500))])


def string_set(target, n):
    target.client().transact(DB, insert("Address_Set", name="big", addresses=strings(0, n)))


def uuid_set(target, n):
    """Datapaths, and a load balancer on all of them."""
    names = [f"d{i}" for i in range(n)]
    target.client().transact(
        DB, *[insert("Datapath_Binding", name, tunnel_key=i + 1) for i, name in enumerate(names)],
        insert("Load_Balancer", name="big", datapaths=["set", [["named-uuid", name] for name in names]]))


def string_map(target, n):
    target.client().transact(DB, insert("Load_Balancer", name="big", options=["map", [[f"k{i}", f"v{i}"] for i in range(n)]]))


def monitored(prepare, table):
    """PREPARE, and a client that is told of all changes."""
    def prepared(target, n):
        prepare(target, n)
        target.client().converse(request("monitor_cond", DB, "m", {table: [{}]}))
    return prepared


def logged(prepare, step):
    """PREPARE, and then 50 commits in the log that are to be read again."""
    def prepared(target, n):
        prepare(target, n)
        client = target.client()
        for i in range(50):
            client.transact(DB, step(i))
    return prepared


def locks(target, n):
    target.client().converse(b"".join(request("lock", f"lock{i}") for i in range(n)))


def monitors(target, n):
    target.client().converse(b"".join(request("monitor", DB, i, {"Chassis_Private": {}}) for i in range(n)))


def waits(target, n):
    target.client().converse(b"".join(transact(wait_for_nothing(), request_id=i) for i in range(n)))


def conditions(target, n):
    """Rows, and a client that sees half of them."""
    rows(target, n)
    target.client().converse(request("monitor_cond", DB, "m", {"Chassis_Private": [
        {"where": [["name", "==", f"c{i}"] for i in range(0, n, 2)]}]}))


def unread_monitors(target, n):
    rows(target, 100)
    client = target.client()
    client.converse(b"".join(request("monitor_cond", DB, i, {"Chassis_Private": [{}]}) for i in range(n)))


def behind_at_points(target, n):
    """So many clients that do not read, each behind from another commit on, and a last one that changes all rows."""
    rows(target, n)
    writer = target.clients[0]
    watched = request("monitor_cond", DB, "m", {"Chassis_Private": [{"select": {"initial": False}}]})
    fills_its_socket = request("echo", "x" * 500_000)
    for i in range(n):
        client = target.client()
        client.converse(watched)
        client.pour(fills_its_socket)
        while not target.sleeps():
            time.sleep(0.002)
        writer.transact(DB, update("Chassis_Private", [["name", "==", f"c{i}"]], nb_cfg=-1))
    writer.transact(DB, update("Chassis_Private", [], external_ids=["map", []]))


def referrers(target, n):
    """A datapath to which so many rows refer."""
    target.client().transact(
        DB, insert("Datapath_Binding", "d", tunnel_key=1),
        *[insert("MAC_Binding", logical_port=f"p{i}", ip="i", datapath=["named-uuid", "d"]) for i in range(n)])


# --- what is counted ---

def messages(make, times=lambda n: 1):
    """One client sends make(n, i) for each i and takes the answers."""
    return lambda target, n: target.client().converse(b"".join(make(n, i) for i in range(times(n))))


def first_answer(clause):
    return messages(lambda n, _: request("monitor_cond", DB, "c", {"Chassis_Private": [{"where": [clause(i) for i in range(n)]}]}))


def transaction(*make):
    """One transaction of make(i) for each i below n."""
    return messages(lambda n, _: transact(*[step(i) for i in range(n) for step in make]))


def mutations(table, step):
    """n mutations of the big row in one transaction."""
    return messages(lambda n, _: transact(mutate(table, [["name", "==", "big"]], *[step(i) for i in range(n)])))


def string_step(i):
    return mutate("Address_Set", [["name", "==", "big"]], ["addresses", "insert", f"x{i}"])


def map_step(i):
    return mutate("Load_Balancer", [["name", "==", "big"]], ["options", "insert", ["map", [[f"x{i}", "y"]]]])


def uuid_step(i):
    return mutate("Load_Balancer", [["name", "==", "big"]], ["datapaths", "delete", ["uuid", uuid(i, 7)]])


def commits(step, count=50):
    return messages(lambda _, i: transact(step(i)), lambda _: count)


def hang_up(target, _):
    target.hang_up()


def clients_with_locks(target, _):
    for i in range(50):
        client = target.client()
        client.call("lock", f"mine{i}")
        target.clients.remove(client)
        client.close()


def reopened(target, _):
    """The file is read again."""
    for words in (["ovsdb-server/remove-db", DB], ["ovsdb-server/add-db", f"{target.scratch.path}/sb.db"]):
        target.server.control(*words)


def half_of_members(target, _):
    """50 members of a set of UUIDs leave it, a commit each."""
    client = target.client()
    found = client.transact(DB, select("Datapath_Binding", ["tunnel_key", "<=", 50], columns=["_uuid"]))
    client.converse(b"".join(transact(mutate("Load_Balancer", [["name", "==", "big"]], ["datapaths", "delete", row["_uuid"]]))
                             for row in found[0]["rows"]))


OPERATIONS = [
    # Both grow: rows and clauses, mutations and members.
    Operation("first answer, n clauses == on n rows", 500, first_answer(lambda i: ["name", "==", f"x{i}"]), rows, quick=True),
    Operation("first answer, n clauses includes on n rows", 500,
              first_answer(lambda i: ["external_ids", "includes", ["map", [["k", f"x{i}"]]]]), rows),
    Operation("first answer, n clauses == of one column that match", 500, first_answer(lambda i: ["nb_cfg", "==", i]), rows),
    Operation("change of n conditions on n rows", 500, messages(lambda n, _: request(
        "monitor_cond_change", "m", "m", {"Chassis_Private": [{"where": [["name", "==", f"c{i}"] for i in range(1, n, 2)]}]})),
        conditions),
    Operation("n elements for a table", 1000, messages(lambda n, _: request(
        "monitor_cond", DB, "m", {"Chassis_Private": [{"columns": [], "where": [["name", "==", f"c{i}"]]} for i in range(n)]})), quick=True),
    Operation("n clauses >=", 1000, first_answer(lambda i: ["nb_cfg", ">=", i]), quick=True),
    Operation("n clauses excludes", 1000, first_answer(lambda i: ["external_ids", "excludes", ["map", [["k", f"v{i}"]]]])),
    Operation("n equal clauses", 1000, first_answer(lambda i: ["name", "==", "same"])),
    Operation("a transaction of n comments", 2000, transaction(lambda i: {"op": "comment", "comment": "c"})),
    Operation("a transaction of n rows with names", 500, transaction(
        lambda i: insert("Datapath_Binding", f"d{i}", tunnel_key=i + 1),
        lambda i: insert("MAC_Binding", logical_port=f"p{i}", ip="i", datapath=["named-uuid", f"d{i}"])), quick=True),
    Operation("n rows that break an index", 1000, transaction(lambda i: insert("Address_Set", name="same"))),
    Operation("n selects by UUID of n rows", 500, transaction(
        lambda i: select("Chassis_Private", ["_uuid", "==", ["uuid", uuid(i)]])), rows),
    Operation("a wait for n rows", 500, messages(lambda n, _: transact(
        {"op": "wait", "table": "Chassis_Private", "where": [], "columns": ["name"], "until": "==", "timeout": 0,
         "rows": [{"name": f"c{i}"} for i in range(n)][::-1]})), rows),
    Operation("n mutations of 1,000 strings", 1000, mutations("Address_Set", lambda i: ["addresses", "insert", f"x{i % 10}"]),
              lambda target, _: string_set(target, 1000), quick=True),
    # (Each that changes something copies the list of the set's pieces, of which there are as many as it has members by 256.)
    Operation("n mutations of n strings", 1000, mutations("Address_Set", lambda i: ["addresses", "insert", f"x{i}"]), string_set),
    Operation("n mutations of n strings that change nothing", 4000, mutations(
        "Address_Set", lambda i: ["addresses", "insert", strings(i, i + 1)]), string_set, quick=True),
    Operation("n deletions of n strings", 1000, mutations(
        "Address_Set", lambda i: ["addresses", "delete", strings(i, i + 1)]), string_set),
    Operation("n mutations of a map of n", 1000, mutations(
        "Load_Balancer", lambda i: ["options", "insert", ["map", [[f"x{i}", "y"]]]]), string_map),
    Operation("n mutations of n UUIDs", 1000, mutations(
        "Load_Balancer", lambda i: ["datapaths", "delete", ["uuid", uuid(i, 7)]]), uuid_set),
    Operation("n strings in no order", 1000, messages(lambda n, _: transact(
        insert("Address_Set", name="s", addresses=["set", [f"v{i * 7919 % 1_000_003}" for i in range(n)]])))),
    # Only what they meet grows.
    Operation("50 commits on n strings", 4000, commits(string_step), string_set, CONSTANT, quick=True),
    Operation("50 commits on n strings, monitored", 4000, commits(string_step), monitored(string_set, "Address_Set"), CONSTANT),
    Operation("50 commits on a map of n", 4000, commits(map_step), string_map, CONSTANT),
    Operation("50 commits on a map of n, monitored", 4000, commits(map_step), monitored(string_map, "Load_Balancer"), CONSTANT),
    Operation("50 commits on n UUIDs", 2000, half_of_members, uuid_set, CONSTANT),
    Operation("50 commits on n UUIDs, monitored", 2000, half_of_members, monitored(uuid_set, "Load_Balancer"), CONSTANT),
    Operation("a file with 50 commits on n strings is read", 1000, reopened, logged(string_set, string_step)),
    Operation("a file with 50 commits on a map of n is read", 1000, reopened, logged(string_map, map_step)),
    Operation("50 clients with a lock come and go beside n locks", 5000, clients_with_locks, locks, CONSTANT, quick=True),
    Operation("20 of n referrers go", 1000, messages(
        lambda _, i: transact(delete("MAC_Binding", ["logical_port", "==", f"p{i}"], ["ip", "==", "i"])), lambda _: 20), referrers),
    Operation("20 commits beside n blocked waits", 1000, commits(lambda i: insert("Chassis_Private", name=f"x{i}"), 20), waits),
    Operation("20 commits beside n clauses", 1000, commits(lambda i: insert("Chassis_Private", name=f"x{i}"), 20), conditions,
              CONSTANT),
    # What goes with a client, or with a row.
    Operation("a client with n locks goes", 2000, hang_up, locks),
    Operation("a client with n monitors goes", 1000, hang_up, monitors, quick=True),
    Operation("a client with n blocked waits goes", 1000, hang_up, waits),
    Operation("n monitors are canceled", 1000, lambda target, n: target.clients[0].converse(
        b"".join(request("monitor_cancel", i) for i in range(n))), monitors),
    Operation("n blocked waits are canceled, the last first", 1000, lambda target, n: target.clients[0].converse(
        b"".join(b'{"id":null,"method":"cancel","params":[%d]}' % i for i in range(n - 1, -1, -1))), waits),
    Operation("a row to which n refer goes, and they", 1000, messages(
        lambda n, _: transact(delete("MAC_Binding"), delete("Datapath_Binding"))), referrers),
    # Backlogs.
    Operation("one of n clients that are behind at n points reads", 100, lambda target, _: target.clients[1].converse(b""),
              behind_at_points, quick=True),
    Operation("n monitors miss 10 changes of 100 rows", 50, lambda target, n: target.client().converse(
        b"".join(transact(update("Chassis_Private", [], nb_cfg=i)) for i in range(10))), unread_monitors),
]


def instructions(operation, n, profile=None):
    """How many the server takes for OPERATION at size N."""
    scratch = Scratch()
    try:
        binary = scratch.path / "counted"
        binary.write_text(f'#!/bin/sh\nexec valgrind -q --tool=callgrind --instr-atstart=no --vgdb-prefix={scratch.path}/vgdb '
                          f'--callgrind-out-file={scratch.path}/callgrind.out {environment.SERVER.resolve()} "$@"\n',
                          encoding="ascii")
        binary.chmod(0o755)
        target = measure.Target(scratch, measure.Input("", None, our_options=BOUNDLESS), binary)
        target.server.start()
        try:
            target.arm(300)
            if operation.prepare:
                operation.prepare(target, n)
            target.settle()
            control(target, "-i", "on")
            operation.run(target, n)
            target.settle()
            control(target, "-d")
        finally:
            target.hang_up()
            target.server.kill()
        if profile:
            name = re.sub(r"\W+", "-", operation.name) + f"-{n}"
            shutil.copy(scratch.path / "callgrind.out.1", pathlib.Path(profile) / name)
        text = (scratch.path / "callgrind.out.1").read_text(encoding="utf-8", errors="replace")
        return int(re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE).group(1))
    finally:
        scratch.close()


def control(target, *words):
    target.scratch.run("callgrind_control", f"--vgdb-prefix={target.scratch.path}/vgdb", *words, target.pid)


def growth(operation, profile=None):
    """Instructions at n and at 4n, and their ratio."""
    small, large = (instructions(operation, n, profile) for n in (operation.n, 4 * operation.n))
    return small, large, large / small


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="operations whose names have this text")
    parser.add_argument("--quick", action="store_true", help="those that CI runs")
    parser.add_argument("--profile", help="a folder for callgrind's files")
    arguments = parser.parse_args()
    bad = 0
    print("operation | n | instructions at n | at 4n | growth | at most", flush=True)
    for operation in OPERATIONS:
        if arguments.only not in operation.name or (arguments.quick and not operation.quick):
            continue
        small, large, ratio = growth(operation, arguments.profile)
        bad += ratio >= operation.most
        verdict = "" if ratio < operation.most else " too much"
        print(f"{operation.name} | {operation.n} | {small:,} | {large:,} | {ratio:.1f} | {operation.most}{verdict}", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
