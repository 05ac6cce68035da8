"""What a client writes into rows that the server takes its configuration from: remotes, keys and certificates."""

import os

from logs import logged
from measure import DB, Input
from messages import insert, transact, update

REMOTES = (f"--remote=db:{DB},SB_Global,connections",)
KEYS = REMOTES + tuple(f"--{option}=db:{DB},SSL,{column}" for option, column in (
    ("private-key", "private_key"), ("certificate", "certificate"), ("ca-cert", "ca_cert")))


def remotes(*targets, **columns):
    """Rows of remotes with these targets."""
    def attack(target):
        rows = [insert("Connection", f"c{i}", target=text, **columns) for i, text in enumerate(targets)]
        target.client().show_itself().transact(DB, *rows, insert("SB_Global", connections=["set", [["named-uuid", f"c{i}"] for i in range(len(rows))]]))
        target.settle()
    return attack


def changed_remotes(target):
    """One remote, changed 300 times."""
    remotes("ptcp:0:127.0.0.1")(target)
    target.client().converse(b"".join(transact(update("Connection", [], target=f"ptcp:0:127.0.{i}.1")) for i in range(300)))


def keys(private_key, certificate=None, ca_cert=None):
    """The files of a key: what a program that reads a file as root could be made to read."""
    def attack(target):
        files = {name: value.format(target.scratch.path) for name, value in (
            ("private_key", private_key), ("certificate", certificate or private_key), ("ca_cert", ca_cert or private_key))}
        fifo = target.scratch.path / "fifo"
        if not fifo.exists():
            os.mkfifo(fifo)
        target.client().transact(
            DB, insert("Connection", "c", target="pssl:0:127.0.0.1"), insert("SSL", "s", **files),
            insert("SB_Global", connections=["named-uuid", "c"], ssl=["named-uuid", "s"]))
        target.settle()
    return attack


def big_file(target):
    """A file of 1 GB that takes no place."""
    path = target.scratch.path / "big"
    with open(path, "wb") as file:
        file.truncate(1 << 30)
    keys("{}/big")(target)


INPUTS = [
    Input("500 remotes that listen", remotes(*[f"ptcp:0:127.0.1.{i % 250}" if i < 250 else f"ptcp:0:127.0.2.{i % 250}" for i in range(500)]),
          options=REMOTES, by_hand=True),
    Input("1,000 remotes that nobody answers", remotes(*[f"tcp:127.0.0.1:{i + 1}" for i in range(1000)], max_backoff=1000),
          options=REMOTES),
    Input("1,000 remotes of unknown kinds", logged(remotes(*[f"nonsense{i}:x" for i in range(1000)])), options=REMOTES),
    Input("500 remotes of names that are none", remotes(*[f"tcp:host{i}.invalid:6640" for i in range(500)], max_backoff=1000),
          options=REMOTES, by_hand=True),
    Input("a remote of 20 MB", logged(remotes("tcp:" + "x" * (20 << 20))), options=REMOTES),
    Input("a remote with escapes", logged(remotes("tcp:\x1b[31m\r\nforged", "punix:/\x1b\r\n")), options=REMOTES),
    Input("a remote that is changed 300 times", changed_remotes, options=REMOTES),
    Input("a key that never ends", keys("/dev/zero"), options=KEYS),
    Input("a key that nobody writes", keys("{}/fifo"), options=KEYS, by_hand=True),
    Input("a key that is a folder", keys("/"), options=KEYS, by_hand=True),
    Input("a key of 1 GB", big_file, options=KEYS),
]
