"""What both servers share: the line, the life cycle of crossing 5.3 and the command line.

An office answers one delivery with status and receipt bytes, and says what content type they have.
"""

import argparse
import json
import re
import sys
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import hashes

BEIJING = timezone(timedelta(hours=8))
LIMIT = 1 << 20

COLUMNS = ("10", "11", "20", "21", "23", "30", "31", "32", "33", "40", "41", "50")
MATRIX = {  # crossing 5.3: what a report does to the state held
    "10": "IAAAAAAAAAAC",
    "22": "IAAAAAAAAAAC",
    "28": "IAAAAAAAAAAC",
    "11": "AIAAAAAAAAAC",
    "20": "IIICAAAAAAAC",
    "30": "IIICAIAAAAAC",
    "31": "IIICAAIAAAAC",
    "32": "IIICAAAIAAAC",
    "33": "IIICAAAAIAAC",
    "40": "CCCCCCCCCICA",
    "41": "CCCCCCCCCCIA",
    "50": "CCCCCCCCCCCI",
    "21": "CCCICCCCCCCC",
    "23": "CCCCICCCCCCC",
    "60": "CCCCCCCCCCCC",
    "?": "AAAAAAAAAAAA",  # a case of our own that another system opened (--adopt)
}
OPEN = ("?", "10", "11", "20", "22", "28", "30", "31", "32", "33")
KEPT_BY_ORIGIN = ("10", "23", "50")


class RefusedError(Exception):
    """A message refused with status, code and findings (path, code, text)."""

    def __init__(self, status, code, text, findings=()):
        super().__init__(text)
        self.status, self.code, self.text, self.findings = status, code, text, list(findings)


def sm3(data):
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def no_such_day(text):
    """Whether it is written as a date, 2026-02-30 or 20260230, with or without a time, and is none."""
    found = re.fullmatch(r"(?a)((?:19|20)\d\d)(-?)(\d\d)\2(\d\d)( ?\d\d:?\d\d:?\d\d)?", str(text))
    if not found:
        return False
    try:
        datetime(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return True
    return False


def identity_good(number):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    if not re.fullmatch(r"(?a)\d{17}[\dX]", number):
        return False
    return "10X98765432"[sum(int(c) * w for c, w in zip(number, weights, strict=False)) % 11] == number[17]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms an answer otherwise
    office = None  # whose line this is, see serve

    def do_POST(self):
        body = self.body()
        if self.office.fault == "redirects" and not self.path.endswith("/"):
            return self.reply(307, b"", {"Location": self.path + "/"})
        headers = {name.lower(): value.strip() for name, value in self.headers.items()}
        try:
            status, receipt = self.office.answer(urllib.parse.urlsplit(self.path).path, headers, body)
        except Exception as error:  # noqa: BLE001 - a server answers 500, it does not hang up
            print(f"error: {type(error).__name__}", file=sys.stderr)
            return self.reply(500, b"internal error", {"Content-Type": "text/plain"})
        extra = {"Content-Type": self.office.content_type()}
        if status in (429, 503):
            extra["Retry-After"] = "1"
        return self.reply(status, receipt, extra)

    def do_GET(self):
        if self.path != "/state":
            return self.reply(404, b"", {})
        view = json.dumps(self.office.view(), ensure_ascii=False).encode()
        return self.reply(200, view, {"Content-Type": "application/json; charset=utf-8"})

    def body(self):
        """The whole body, or one byte more than the limit; the rest is read and dropped."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = bytearray()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts += self.rfile.read(size)[: LIMIT + 1 - len(parts)]
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return bytes(parts)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, LIMIT + 1))
        for rest in range(length - len(body), 0, -65536):
            self.rfile.read(min(65536, rest))
        self.close_connection = length > LIMIT
        return body

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:  # a peer that is not told loses its next message on this line
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(office, host="127.0.0.1", port=0):
    """A listening server; call serve_forever on it."""
    handler = type("BoundHandler", (Handler,), {"office": office})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server


def arguments(argv, about, faults, *, keys, flow, flow_help):
    """What the command line says; the texts are those of one side."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--keys", type=Path, help=f"JSON file: {keys}")
    parser.add_argument(
        "--gateway", default="", help="base address of the gateway; without it nothing is sent"
    )
    parser.add_argument("--fault", default="", choices=["", *faults], metavar="NAME")
    parser.add_argument("--list-faults", action="store_true")
    parser.add_argument("--flow", default=flow, help=flow_help)
    parser.add_argument("--wait", type=float, default=1.0, help="factor on the waits between repetitions")
    parser.add_argument("--delay", type=float, default=0.3, help="seconds between receipt and first report")
    parser.add_argument("--slow", type=float, default=35.0, help="seconds of the fault slow-first")
    parser.add_argument("--busy", type=int, default=0, help="answer 503 that many times first")
    parser.add_argument("--adopt", action="store_true", help="accept follow-ups of own cases never seen here")
    parser.add_argument("--now", help="start of the server's clock, RFC 3339")
    options = parser.parse_args(argv)
    options.shift = datetime.fromisoformat(options.now).timestamp() - time.time() if options.now else 0.0
    if not options.keys and not options.list_faults:
        parser.error("--keys is needed")
    return options


def run(options, faults, office):
    """Serves until interrupted; ``office`` is made when it is needed."""
    if options.list_faults:
        print("\n".join(f"{name}\t{text}" for name, text in faults.items()))
        return
    server = serve(office(), options.host, options.port)
    print(f"ready http://{options.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
