"""The control socket and its commands."""

from measure import DB, Input
from messages import insert, request, select, transact
from memory import half_message


def control(target):
    return target.client(f"unix:{target.scratch.path}/target.ctl")


def half_command(target):
    control(target).pour(b'{"id":1,"method":"list-com')


def many_silent(target):
    for _ in range(300):
        control(target)


def commands_unread(*words):
    return lambda target: control(target).pour(request(*words) * 20_000)


def a_long_command(target):
    client = control(target)
    client.pour(b'{"id":1,"method":"ovsdb-server/add-remote","params":["')
    for _ in range(64):
        client.pour(b"x" * (1 << 20))


def nesting(target):
    control(target).pour(b'{"id":1,"method":"version","params":[' + b"[" * 10_000_000)


def zeros(target):
    client = control(target)
    client.pour(b'{"id":1,"method":"version","params":[0')
    for _ in range(32):
        client.pour(b",0" * (1 << 19))


def busy(target):
    """The server works for a client, and the operator asks; the bystander's list-dbs is the measure."""
    client = target.client()
    client.pour(transact(*[select("Logical_Flow")] * 30))
    for words in (["memory/show"], ["ovsdb-server/compact"], ["ovsdb-server/sync-status"],
                  ["ovsdb-server/get-db-storage-status", DB], ["ovsdb-server/list-remotes"]):
        control(target).pour(request(*words))
    client.swallow(2)


def many_databases(target):
    """A file that is no database, added again and again."""
    control(target).converse(request("ovsdb-server/add-db", "/dev/zero") + request("ovsdb-server/add-db", "/etc/passwd") * 500)


def long_transaction(target):
    """One transaction of 100,000 rows, and then commands."""
    target.client().pour(transact(*[insert("Address_Set", name=f"a{i}", addresses=f"{i}") for i in range(100_000)]))
    for _ in range(20):
        control(target).pour(request("memory/show"))


INPUTS = [
    Input("half a command", half_command),
    Input("300 silent connections", many_silent, by_hand=True),
    Input("20,000 list-commands, unread", commands_unread("list-commands")),
    Input("20,000 memory/show, unread", commands_unread("memory/show"), by_hand=True),
    Input("20,000 unknown commands, unread", commands_unread("nonsense"), by_hand=True),
    Input("a command of 64 MB", a_long_command),
    Input("ten million brackets", nesting),
    Input("a command of [0,0,... that never ends", zeros),
    Input("commands while 30 selects are answered", busy, data="flows"),
    Input("databases that are none", many_databases, by_hand=True),
    Input("commands beside 100,000 inserts", long_transaction),
]
