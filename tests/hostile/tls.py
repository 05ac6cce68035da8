"""Before a client has shown who it is it costs next to nothing."""

import socket
import ssl
import subprocess
import time

from harness.pki import Pki
from harness.ports import free_port
from measure import Input
from messages import request

PORT = free_port()


def keys(target):
    """Keys and a remote for TLS."""
    pki = Pki(target.scratch.path)
    pki.authority("one")
    pki.authority("two")
    pki.certify("one", "server")
    pki.certify("one", "client")
    pki.certify("two", "client")
    return pki


class Options:
    """The files are in the scratch folder, where the server starts."""
    WORDS = (f"--remote=pssl:{PORT}:127.0.0.1", "--private-key=server-one.key", "--certificate=server-one.pem",
             "--ca-cert=ca-one.pem")


def dial(target):
    peer = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    target.clients.append(peer)
    return peer


def context(target, authority="one", certified=True, **versions):
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    path = target.scratch.path
    if certified:
        found.load_cert_chain(path / f"client-{authority}.pem", path / f"client-{authority}.key")
    for name, value in versions.items():
        setattr(found, name, value)
    return found


def silent(target):
    for _ in range(500):
        dial(target)


def half_hello(target):
    for _ in range(500):
        dial(target).sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


def no_tls(target):
    for _ in range(500):
        dial(target).sendall(request("list_dbs"))


def handshakes(target):
    """Whole handshakes, one after the other."""
    found = context(target)
    for _ in range(200):
        found.wrap_socket(dial(target)).close()


def strangers(target):
    """Without a certificate, or with another authority's: refused, and nothing that they send before is kept."""
    for found in (context(target, certified=False), context(target, "two")):
        for _ in range(50):
            try:
                peer = found.wrap_socket(dial(target))
                peer.sendall(b'{"id":1,"method":"echo","params":["' + b"x" * (1 << 20))
                peer.recv(100)
            except (ssl.SSLError, OSError):
                pass


def spoken(letter, version, count):
    """What openssl's client does for a letter on its input, as fast as it reads letters one by one."""
    def attack(target):
        path = target.scratch.path
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", version, "-cert", f"{path}/client-one.pem",
                                   "-key", f"{path}/client-one.key"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.3)
            for _ in range(count):
                client.stdin.write(letter + b"\n")
                client.stdin.flush()
                time.sleep(0.003)
        except BrokenPipeError:
            pass  # it was refused
        finally:
            client.kill()
            client.wait()
    return attack


def small_records(target):
    """A byte a record."""
    peer = context(target).wrap_socket(dial(target))
    for byte in request("echo", "x" * 20_000):
        peer.sendall(bytes([byte]))


INPUTS = [Input(name, attack, options=Options.WORDS, before=keys) for name, attack in (
    ("500 silent handshakes", silent),
    ("500 half hellos", half_hello),
    ("500 that speak no TLS", no_tls),
    ("200 handshakes", handshakes),
    ("100 strangers that send 1 MB", strangers),
    ("300 renegotiations", spoken(b"R", "-tls1_2", 300)),
    ("1,000 key updates", spoken(b"K", "-tls1_3", 1000)),
    ("20,000 records of a byte", small_records),
)]
