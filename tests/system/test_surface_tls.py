#!/usr/bin/python3
"""TLS: keys from files and from the database, what is negotiated, what is logged (surface, section 16)."""

import contextlib
import json
import socket
import ssl
import time

from harness.case import main
from harness.pki import Pki
from harness.surface import DB, SurfaceTest
from harness.server import create_database, wait_until

KEYS = {
    "name": "mydb",
    "version": "1.0.0",
    "tables": {"SSL": {"maxRows": 1, "isRoot": True, "columns": {name: {"type": "string"} for name in (
        "private_key", "certificate", "ca_cert", "ssl_protocols", "ssl_ciphers", "ssl_ciphersuites")}}},
}


class Tls(SurfaceTest):
    def setUp(self):
        super().setUp()
        self.pki = Pki(self.path)
        self.pki.authority("one")
        self.pki.certify("one", "server")
        self.pki.certify("one", "client")

    def keys(self, ca="one", name="server"):
        return ["-p", self.pki.key(ca, name), "-c", self.pki.certificate(ca, name), "-C", self.pki.ca(ca)]

    def serve(self, *words, **options):
        self.start("--remote=pssl:0:127.0.0.1", *words, **options)
        self.address = f"ssl:127.0.0.1:{self.port()}"

    def dial(self, least=None, most=None, ciphers=None, certificate=True, name=None):
        """A TLS connection of Python's; raises ssl.SSLError when there is none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.pki.ca("one"))
        if certificate:
            context.load_cert_chain(self.pki.certificate("one", "client"), self.pki.key("one", "client"))
        if least:
            context.minimum_version = least
        if most:
            context.maximum_version = most
        if ciphers:
            context.set_ciphers(ciphers)
        plain = socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])))
        self.addCleanup(plain.close)
        plain.settimeout(20)
        peer = context.wrap_socket(plain, server_hostname=name)
        self.addCleanup(peer.close)
        peer.sendall(b'{"id":1,"method":"echo","params":[]}')
        self.assertIn(b'"id":1', peer.recv(1000))
        return peer

    def refused(self, **how):
        with self.assertRaises((ssl.SSLError, ConnectionError)) as refusal:
            self.dial(**how)
        return str(refusal.exception)

    def only_tls_troubles(self):
        for line in self.troubles():
            self.assertTrue(line.startswith("stream_ssl|WARN") or "Protocol error" in line, line)

    def list_dbs(self, *keys):
        return self.client(*keys, "list-dbs", self.address)

    def test_clients_present_a_certificate_of_the_authority(self):
        """Section 16: pssl: with key, certificate and CA by file."""
        self.pki.authority("two")
        self.pki.certify("two", "client")
        self.serve(*self.keys())
        self.assertEqual(self.list_dbs(*self.keys("one", "client")), f"_Server\n{DB}\n")
        strange = self.client("-p", self.pki.key("two", "client"), "-c", self.pki.certificate("two", "client"),
                              "-C", self.pki.ca("one"), "list-dbs", self.address, check=False)
        self.assertNotEqual(strange.returncode, 0)
        self.refused(certificate=False)
        self.only_tls_troubles()

    def test_a_client_that_just_closes_is_no_trouble(self):
        """Section 16: no close_notify; sockets that never shake hands."""
        self.serve(*self.keys())
        for _ in range(3):
            peer = self.dial()
            socket.socket(fileno=peer.detach()).close()
            socket.create_connection(("127.0.0.1", self.port())).close()
        self.list_dbs(*self.keys("one", "client"))
        self.assertEqual(self.troubles(), [])

    def test_a_client_that_speaks_without_tls_is_told_from_other_strangers(self):
        """As the stock server's log has it."""
        self.serve(*self.keys())
        for data in (b'{"id":1,"method":"echo","params":[]}', b"GET / HTTP/1.0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.port())) as plain:
                plain.settimeout(20)
                plain.sendall(data)
                with contextlib.suppress(ConnectionResetError):
                    while plain.recv(100):
                        pass
        self.assertEqual(self.log().count("received JSON-RPC data on SSL channel"), 1)
        self.only_tls_troubles()

    def test_keys_from_the_database(self):
        """Section 16: -p db:..., read when they change; empty ones mean default."""
        create_database(self.scratch, "mydb", KEYS)
        options = {"--private-key": "private_key", "--certificate": "certificate", "--ca-cert": "ca_cert",
                   "--ssl-protocols": "ssl_protocols", "--ssl-ciphers": "ssl_ciphers",
                   "--ssl-ciphersuites": "ssl_ciphersuites"}
        self.serve(*(f"{option}=db:mydb,SSL,{column}" for option, column in options.items()), databases=["mydb"])
        self.refused()
        row = {"private_key": self.pki.key("one", "server"), "certificate": self.pki.certificate("one", "server"),
               "ca_cert": self.pki.ca("one")}
        def transact(*operations):
            self.client("transact", self.socket, json.dumps(["mydb", *operations]))
        transact({"op": "insert", "table": "SSL", "row": row})
        self.assertEqual(self.dial().version(), "TLSv1.3")
        transact({"op": "update", "table": "SSL", "where": [], "row": {"ssl_protocols": "TLSv1.2"}})
        self.assertEqual(self.dial().version(), "TLSv1.2")
        transact({"op": "update", "table": "SSL", "where": [], "row": {"ssl_ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}})
        self.assertEqual(self.dial().cipher()[0], "ECDHE-ECDSA-AES128-GCM-SHA256")
        transact({"op": "update", "table": "SSL", "where": [], "row": {
            "ssl_protocols": "TLSv1.3", "ssl_ciphersuites": "TLS_AES_128_GCM_SHA256"}})
        self.assertEqual(self.dial().cipher()[0], "TLS_AES_128_GCM_SHA256")
        self.only_tls_troubles()

    def test_protocols(self):
        """Section 16: lists, ranges, and A+."""
        two, three = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        for text, spoken in (("TLSv1.3", {three}), ("TLSv1.2", {two}), ("TLSv1.3,TLSv1.2", {two, three}),
                             ("TLSv1.2 TLSv1.3", {two, three}), ("TLSv1.2-TLSv1.3", {two, three}),
                             ("TLSv1.2+", {two, three}), ("TLSv1.3+", {three})):
            self.serve(*self.keys(), f"--ssl-protocols={text}")
            for version in (two, three):
                if version in spoken:
                    self.dial(least=version, most=version)
                else:
                    self.refused(least=version, most=version)
            self.exit()
            self.only_tls_troubles()
            (self.path / "ovsdb-server.log").unlink()

    def test_no_common_cipher_is_an_alert(self):
        """Section 16: the client sees the alert of a failed handshake, not a closed connection."""
        self.serve(*self.keys(), "--ssl-protocols=TLSv1.2", "--ssl-ciphers=ECDHE-ECDSA-AES128-GCM-SHA256")
        self.assertIn("alert handshake failure", self.refused(ciphers="ECDHE-ECDSA-AES256-GCM-SHA384").lower())
        self.exit()
        self.serve(*self.keys(), "--ssl-protocols=TLSv1.3", "--ssl-ciphersuites=TLS_AES_128_CCM_SHA256",
                   "--log-file=second.log")
        port = self.port("second.log")
        done = self.scratch.run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3",
                                "-ciphersuites", "TLS_AES_256_GCM_SHA384", check=False)
        self.assertIn("alert handshake failure", done.stderr)

    def test_authorities_are_sent_to_bootstrapping_clients(self):
        """Section 16: --peer-ca-cert; bootstrapping from a self-signed server certificate."""
        self.serve(*self.keys(), f"--peer-ca-cert={self.pki.ca('one')}")
        words = ["-p", self.pki.key("one", "client"), "-c", self.pki.certificate("one", "client"),
                 f"--bootstrap-ca-cert={self.path}/learned.pem", "list-dbs", self.address]
        self.client(*words, check=False)  # learns it, and is dropped
        self.assertEqual(self.client(*words), f"_Server\n{DB}\n")
        with open(self.pki.ca("one"), encoding="ascii") as known:
            self.assertIn(known.read().strip(), (self.path / "learned.pem").read_text())

    def test_clients_do_not_choose_by_whom_they_are_trusted(self):
        """Only who connects learns an authority: a server without one refuses everybody, and learns none."""
        self.serve("-p", self.pki.key("one", "server"), "-c", self.pki.certificate("one", "server"),
                   f"--bootstrap-ca-cert={self.path}/learned.pem", f"--peer-ca-cert={self.pki.ca('one')}")
        self.refused()
        self.assertFalse((self.path / "learned.pem").exists())

    def test_a_slip_in_the_protocols_opens_no_old_ones(self):
        self.serve(*self.keys(), "--ssl-protocols=TLSv1.2;TLSv1.3", "--ssl-ciphers=DEFAULT:@SECLEVEL=0")
        self.refused(most=ssl.TLSVersion.TLSv1_1, ciphers="DEFAULT:@SECLEVEL=0")

    def test_names_of_listening_clients_are_indicated(self):
        """RFC 6066: to a client that listens, by its name if it has one."""
        self.assertEqual(self.asked_for("localhost"), ["localhost"])
        self.assertEqual(self.asked_for("127.0.0.1"), [None])

    def test_a_server_is_asked_for_by_the_name_that_an_option_gives(self):
        """--ssl-server-name, as newer servers have it: behind a proxy that goes by names."""
        for host in ("localhost", "127.0.0.1"):
            self.assertEqual(self.asked_for(host, "--ssl-server-name=some.example"), ["some.example"])

    def asked_for(self, host, *words):
        """The names that a server which connects to HOST asks for."""
        names = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pki.certificate("one", "client"), self.pki.key("one", "client"))
        context.sni_callback = lambda _sock, name, _context: names.append(name)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            port = listener.getsockname()[1]
            self.start(f"--remote=ssl:{host}:{port}", *self.keys(), *words)
            context.wrap_socket(listener.accept()[0], server_side=True).close()
        self.exit()
        return names

    def test_names_of_servers_are_told(self):
        """Section 16, SNI: at DBG of stream_ssl, the whole message; nothing without."""
        self.serve(*self.keys(), "-vPATTERN:file:%c|%m", "-vstream_ssl:file:dbg")
        self.dial()
        self.assertNotIn("server name", self.log())
        self.dial(name="some.example")
        self.assertIn("\nstream_ssl|connection indicated server name some.example\n", self.log())

    def test_files_that_change_are_read_again(self):
        """Section 16: keys from files are read again when the files change."""
        self.pki.authority("two")
        self.pki.certify("two", "server")
        for kind in ("key", "certificate"):
            (self.path / kind).write_bytes(open(getattr(self.pki, kind)("two", "server"), "rb").read())
        self.serve("-p", f"{self.path}/key", "-c", f"{self.path}/certificate", "-C", self.pki.ca("one"))
        self.refused()
        time.sleep(0.02)  # another time of change
        for kind in ("key", "certificate"):
            (self.path / kind).write_bytes(open(getattr(self.pki, kind)("one", "server"), "rb").read())
        def works():
            try:
                return self.dial()
            except (ssl.SSLError, ConnectionError):
                return False
        wait_until(works, "the new keys")

    def test_without_keys_it_listens(self):
        """Section 16: key or certificate not configured yet; section 12: pssl: without keys is no warning."""
        self.serve()
        self.assertEqual(self.troubles(), [])
        self.refused()
        self.only_tls_troubles()
        self.assertIn("private key and certificate must be configured to use TLS", self.troubles()[0])


if __name__ == "__main__":
    main()
