"""Before a client has shown who it is it costs next to nothing."""

import socket
import ssl
import subprocess

from harness import environment
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


def renegotiations(target):
    """Asked for with openssl's client, as fast as it can; the server may refuse each."""
    path = target.scratch.path
    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", "-tls1_2", "-quiet", "-no_ign_eof",
                    "-cert", f"{path}/client-one.pem", "-key", f"{path}/client-one.key"],
                   input=b"R\n" * 200, capture_output=True, timeout=environment.timeout_s(10), check=False)


def key_updates(target):
    path = target.scratch.path
    try:
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", "-tls1_3", "-no_ign_eof",
                        "-cert", f"{path}/client-one.pem", "-key", f"{path}/client-one.key"],
                       input=b"K\n" * 2000, capture_output=True, timeout=environment.timeout_s(10), check=False)
    except subprocess.TimeoutExpired:
        pass


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
    ("200 renegotiations", renegotiations),
    ("2,000 key updates", key_updates),
    ("20,000 records of a byte", small_records),
)]
