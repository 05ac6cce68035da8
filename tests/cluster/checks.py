"""What has to hold when a scenario is over."""
import csv
import io

from cluster import wait_for
from node import CommandFailed
from writer import DATABASES

SOCKETS = {"nb": "/run/ovn/ovnnb_db", "sb": "/run/ovn/ovnsb_db"}
# Written by the server itself about its own connections, so they differ by nature.
OWN_TABLES = {"Connection"}


class CheckFailed(Exception):
    pass


def appctl(node, which, *command, check=True):
    return node.run("ovs-appctl", "-T", "5", "-t", SOCKETS[which] + ".ctl", *command, check=check)


def role(node, which):
    """The word after `state:`; None if the server does not answer."""
    done = appctl(node, which, "ovsdb-server/sync-status", check=False)
    for line in done.stdout.splitlines():
        if line.startswith("state:"):
            return line.split()[1]
    return None


def dump(node, which):
    """Contents as {table: sorted list of rows}, each row a tuple of column=value."""
    text = node.run("ovsdb-client", "-t", "20", "-f", "csv", "dump", f"unix:{SOCKETS[which]}.sock",
                    DATABASES[which][0])
    tables = {}
    for block in text.split("\n\n"):
        lines = block.strip("\n").split("\n", 1)
        name = lines[0].rsplit(" table", 1)[0].split()[-1] if lines[0] else ""
        if not name or name in OWN_TABLES or len(lines) < 2:
            continue
        rows = list(csv.reader(io.StringIO(lines[1])))
        tables[name] = sorted(tuple(f"{column}={value}" for column, value in zip(rows[0], row)) for row in rows[1:])
    return tables


def marks_in(contents):
    """The writers' marks (`label-number`) found anywhere in a dump."""
    marks = set()
    for table in ("DNS", "Controller_Event"):
        for row in contents.get(table, []):
            for cell in row:
                if "bench=" in cell:
                    marks.add(cell.split("bench=", 1)[1].strip('"}{'))
    return marks


def one_active(cluster, timeout_s=20):
    """Exactly one promoted node; its two servers are active, all others are backups. Returns that node."""
    promoted = cluster.wait_settled(timeout_s)

    def roles():
        found = {(node.name, which): role(node, which) for node in cluster.nodes if node.up for which in SOCKETS}
        wanted = {key: "active" if key[0] == promoted.name else "backup" for key in found}
        return found, found == wanted

    try:
        wait_for("roles", lambda: roles()[1], timeout_s)
    except Exception as error:
        raise CheckFailed(f"roles do not fit {promoted.name} being promoted: {roles()[0]}") from error
    return promoted


def copies_equal(cluster, promoted, timeout_s=30):
    """All nodes that are up end with the contents of the active. Returns {which: contents}."""
    contents = {}
    for which in SOCKETS:
        contents[which] = dump(promoted, which)
        for node in cluster.other_nodes(promoted.name):
            if not node.up:
                continue

            def equal(node=node, which=which):
                contents[which] = dump(promoted, which)
                return dump(node, which) == contents[which]

            try:
                wait_for(f"{which} of {node.name}", equal, timeout_s, every_s=0.5)
            except CommandFailed as error:
                raise CheckFailed(f"{which} of {node.name}: {error}") from error
            except Exception as error:
                raise CheckFailed(f"{which} of {node.name} differs: {difference(dump(node, which), contents[which])}"
                                  ) from error
    return contents


def difference(a, b, most=5):
    lines = []
    for table in sorted(set(a) | set(b)):
        left, right = set(a.get(table, [])), set(b.get(table, []))
        lines += [f"{table} -{row}" for row in sorted(left - right)] + [f"{table} +{row}" for row in sorted(right - left)]
    return f"{len(lines)} rows, e.g. " + "; ".join(lines[:most])


def lost(writer, contents):
    """Acknowledged transactions of `writer` that are not in the dump."""
    return sorted(writer.marks() - marks_in(contents[writer.which]))
