"""A writer that behaves like a careful CMS: one transaction at a time, and it writes down what was acknowledged.

Run as a program inside a network namespace. Appends to --log one line a transaction that the server
acknowledged: `ack NUMBER TIME`, TIME from CLOCK_MONOTONIC, which all namespaces share. Reconnects for ever with a
connect timeout of 0.01 s, since the retransmission of SYN would otherwise round outages up to a second: with the pause
before the next attempt it is the resolution of an outage.
"""
import argparse
import itertools
import json
import socket
import ssl
import time

CONNECT_TIMEOUT_S = 0.01
RETRY_PAUSE_S = 0.002
REPLY_TIMEOUT_S = 1.0
TABLES = {"OVN_Northbound": "DNS", "OVN_Southbound": "Controller_Event"}


class ConnectionLost(Exception):
    pass


class Session:
    """One connection to an OVSDB server; every failure is ConnectionLost."""

    def __init__(self, host, port, tls=None, timeout_s=REPLY_TIMEOUT_S):
        self._buffer = ""
        self._decoder = json.JSONDecoder()
        try:
            self._socket = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
            self._socket.settimeout(timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self._socket = tls.wrap_socket(self._socket)
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def call(self, method, params):
        """Returns (result, error) of the reply; answers probes that arrive before it."""
        try:
            self._send({"method": method, "params": params, "id": 1})
            while True:
                message = self._receive()
                if message.get("method") == "echo":
                    self._send({"result": message["params"], "error": None, "id": message["id"]})
                elif message.get("id") == 1 and "method" not in message:
                    return message.get("result"), message.get("error")
        except (OSError, ValueError) as error:
            raise ConnectionLost(str(error)) from error

    def _send(self, message):
        self._socket.sendall(json.dumps(message).encode())

    def _receive(self):
        while True:
            if self._buffer:
                try:
                    message, end = self._decoder.raw_decode(self._buffer)
                    self._buffer = self._buffer[end:].lstrip()
                    return message
                except json.JSONDecodeError:
                    pass
            chunk = self._socket.recv(65536)
            if not chunk:
                raise ConnectionLost("closed by the server")
            self._buffer += chunk.decode()

    def close(self):
        self._socket.close()


def insert_of(database, label, number):
    mark = f"{label}-{number}"
    if database == "OVN_Northbound":
        row = {"external_ids": ["map", [["bench", mark]]]}
    else:
        row = {"event_type": "empty_lb_backends", "event_info": ["map", [["bench", mark]]]}
    return [database, {"op": "insert", "table": TABLES[database], "row": row}]


def tls_context(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(folder + "/ca.pem")
    context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    return context


def write_for_ever(options):
    tls = tls_context(options.tls) if options.tls else None
    session = None
    pause_s = 1.0 / options.rate if options.rate else 0
    with open(options.log, "a", buffering=1) as log:
        for number in itertools.count():
            acknowledged = False
            while not acknowledged:
                try:
                    if session is None:
                        session = Session(options.host, options.port, tls)
                    result, error = session.call("transact", insert_of(options.database, options.label, number))
                except ConnectionLost:
                    if session:
                        session.close()
                        session = None
                    time.sleep(RETRY_PAUSE_S)
                    # The transaction may or may not be in: it is not acknowledged, so take a new number.
                    break
                # A transaction that could not be written comes with an error behind the results (RFC 7047, 4.1.3).
                acknowledged = error is None and bool(result) and all("error" not in each for each in result)
                if not acknowledged:
                    session.close()  # a backup, or one that is about to become the active
                    session = None
                    time.sleep(RETRY_PAUSE_S)
            if acknowledged:
                log.write(f"ack {number} {time.monotonic():.4f}\n")
                time.sleep(pause_s)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True, choices=TABLES)
    parser.add_argument("--label", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--rate", type=float, default=100, help="transactions a second, 0 for as many as possible")
    parser.add_argument("--tls", help="folder with ca.pem, cert.pem, key.pem")
    write_for_ever(parser.parse_args())


if __name__ == "__main__":
    main()
