#!/usr/bin/python3
"""The pages over HTTP: the status page in a real browser, what load balancers are told, and TLS.

Pictures of the page are left in the build folder, screenshots/."""

import html.parser
import http.client
import json
import shutil
import ssl
import struct
import subprocess
import unittest

from harness import environment, load
from harness.case import SystemTest, main
from harness.pki import Pki
from harness.ports import free_port
from harness.server import wait_until

BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")
PICTURES = environment.SERVER.parents[1] / "screenshots"
EVIL = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"


class Outline(html.parser.HTMLParser):
    """The elements of a page, and the text that a reader sees."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.attributes = set()
        self.texts = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        if self.tags[-1:] != ["style"] or data.strip() == "":
            self.texts.append(data.strip())

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def request(port, method, target, context=None):
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context) if context
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=30))
    connection.request(method, target)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, answer.headers


def get(port, target, context=None):
    return request(port, "GET", target, context)[:2]


class Pair(SystemTest):
    def setUp(self):
        super().setUp()
        self.ports = {"active": free_port(), "backup": free_port()}
        self.active = self.serve("active", "--node-name=ovn1")
        self.backup = self.serve("backup", f"--node-name={EVIL}", f"--sync-from={self.active.socket}")
        self.wait_for("active", "one backup in sync")

    def serve(self, name, *options):
        files = [self.database(f"{name}-{db}.db", environment.OVN_SCHEMAS / f"ovn-{db}.ovsschema") for db in ("nb", "sb")]
        return self.server(name, files, f"--http=127.0.0.1:{self.ports[name]}", *options)

    def page(self, name):
        status, body = get(self.ports[name], "/")
        self.assertEqual(status, 200)
        return Outline(body)

    def wait_for(self, name, words):
        wait_until(lambda: words in self.page(name).text, f"{name} to say: {words}")

    def write(self):
        self.scratch.run("ovn-nbctl", f"--db={self.active.socket}", "--timeout=20", "ls-add", "s")


class StatusPage(Pair):
    def browser(self, name, *options):
        done = subprocess.run([BROWSER, "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                               f"--user-data-dir={self.scratch.path}/browser", *options, f"http://127.0.0.1:{self.ports[name]}/"],
                              capture_output=True, text=True, timeout=environment.timeout_s(120), env=self.scratch.env | {"HOME": str(self.scratch.path)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def picture(self, name, server, width, height, *options):
        PICTURES.mkdir(exist_ok=True)
        path = PICTURES / f"{name}.png"
        path.unlink(missing_ok=True)
        self.browser(server, f"--window-size={width},{height}", f"--screenshot={path}", *options)
        self.assertEqual(struct.unpack(">II", path.read_bytes()[16:24]), (width, height))
        self.assertGreater(path.stat().st_size, 20_000, "an empty page")
        print(f"picture: {path}", flush=True)

    @unittest.skipUnless(BROWSER, "no chromium")
    def test_a_browser_shows_it(self):
        self.write()
        page = Outline(self.browser("active", "--dump-dom"))
        self.assertIn("Active for OVN_Northbound and OVN_Southbound; one backup in sync.", page.text)
        self.picture("active", "active", 1000, 1100)
        self.picture("active-dark", "active", 1000, 1100, "--blink-settings=preferredColorScheme=0")
        self.picture("active-phone", "active", 500, 1900)
        self.active.stop()
        self.wait_for("backup", "no active server is heard")
        self.assertIn("What to do", Outline(self.browser("backup", "--dump-dom")).text)
        self.picture("backup-alone", "backup", 1000, 1100)

    def test_it_says_how_the_server_is_and_what_to_do(self):
        self.write()
        page = self.page("active")
        self.assertIn("Active for OVN_Northbound and OVN_Southbound; one backup in sync.", page.text)
        for words in ("Copies here", "Backups that follow", "Remotes", "What has happened", f"p{self.active.socket} listening"):
            self.assertIn(words, page.text)
        self.assertNotIn("What to do", page.text)
        self.assertIn("Backup for OVN_Northbound and OVN_Southbound, in sync.", self.page("backup").text)
        self.wait_for("active", "joined, in sync")
        self.backup.stop()
        for words in ("no backup follows", "left", "gone"):
            self.wait_for("active", words)

    def test_what_others_say_of_themselves_is_text(self):
        page = self.page("active")
        self.assertNotIn("script", page.tags)
        self.assertNotIn("img", page.tags)
        self.assertNotIn("onerror", page.attributes)
        self.assertIn(EVIL[:40], page.text)
        headers = request(self.ports["active"], "GET", "/")[2]
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])

    def test_it_is_there_while_the_writer_is_blocked(self):
        """As the other pages are (test_hung_disk.py): a page is made of what is known."""
        with self.active.connect() as client:
            many = [{"op": "select", "table": "Logical_Switch", "where": []}] * 2000
            ids = [client.request("transact", ["OVN_Northbound", *many]) for _ in range(20)]
            self.assertIn("Active for OVN_Northbound", self.page("active").text)
            for _ in ids:
                client.receive()


class ForPrograms(Pair):
    def test_each_page_answers_as_documented(self):
        port = self.ports["active"]
        wait_until(lambda: get(port, "/synced")[0] == 200, "an acknowledgement")  # of what is on the backup's disk
        for target, status, body in (("/active", 200, "active\n"), ("/healthz", 200, "healthy\n"), ("/synced", 200, "synced\n"),
                                     ("/active?db=OVN_Southbound", 200, "active\n"), ("/active?db=x", 404, "no database x here\n")):
            self.assertEqual(get(port, target), (status, body), target)
        self.assertEqual(json.loads(get(port, "/status")[1])["http"], [f"http://127.0.0.1:{port}"])
        self.assertIn("tandem_active", get(port, "/metrics")[1])
        backup = self.ports["backup"]
        self.assertEqual(get(backup, "/active"), (503, "backup\n"))
        self.assertEqual(get(backup, "/synced"), (200, "synced\n"))
        self.active.stop()
        wait_until(lambda: get(backup, "/synced") == (503, "OVN_Northbound: connecting\nOVN_Southbound: connecting\n"), "the backup to know")

    def test_methods(self):
        for name, status in (("active", 200), ("backup", 503)):
            for method in ("OPTIONS", "HEAD"):
                self.assertEqual(request(self.ports[name], method, "/active")[:2], (status, ""), method)
        refused, _, headers = request(self.ports["active"], "DELETE", "/active")
        self.assertEqual((refused, headers["Allow"]), (405, "GET, HEAD, OPTIONS"))


class Tls(SystemTest):
    def test_pages_over_tls(self):
        """With the server's certificate; a client needs none, and plain text is no TLS."""
        pki = Pki(self.scratch.path)
        pki.authority("one")
        pki.certify("one", "server")
        port = free_port()
        server = self.server("server", [self.database("server.db", load.SCHEMA)], f"--https=127.0.0.1:{port}",
                             "-p", pki.key("one", "server"), "-c", pki.certificate("one", "server"), "-C", pki.ca("one"))
        context = ssl.create_default_context(cafile=pki.ca("one"))
        context.check_hostname = False
        self.assertEqual(get(port, "/active", context), (200, "active\n"))
        self.assertIn("Active for Load", get(port, "/", context)[1])
        with self.assertRaises((http.client.HTTPException, OSError)):
            get(port, "/active")
        with self.assertRaises(ssl.SSLError):
            get(port, "/active", ssl.create_default_context())
        self.assertEqual(get(port, "/active", context), (200, "active\n"))
        # A new certificate is read by itself.
        pki.authority("two")
        pki.certify("two", "server")
        for kind in (pki.key, pki.certificate):
            shutil.copy(kind("two", "server"), kind("one", "server"))
        other = ssl.create_default_context(cafile=pki.ca("two"))
        other.check_hostname = False

        def renewed():
            try:
                return get(port, "/active", other) == (200, "active\n")
            except ssl.SSLError:
                return False
        wait_until(renewed, "the new certificate")
        self.assertNotIn("|ERR|", server.log())

    def test_without_keys_nobody_is_served(self):
        port = free_port()
        self.server("server", [self.database("server.db", load.SCHEMA)], f"--https=127.0.0.1:{port}")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with self.assertRaises((ssl.SSLError, OSError)):
            get(port, "/active", context)


if __name__ == "__main__":
    main()
