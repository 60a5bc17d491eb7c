"""The far side of a gateway under test: proves every message by its own code, keeps the bytes, sends worked ones."""

from __future__ import annotations

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import httpx
from waiting import until

from gateway.canonical.rehearsal import Draw, Unheard
from gateway.conformance.simulator import stand_in_of
from gateway.regions import discover

ADAPTERS = Path(__file__).parents[1] / "adapters"


def example(kind):
    slug = "sichuan" if kind[0] == "t" else "chongqing"
    suffix = "json" if slug == "sichuan" else "xml"
    return (ADAPTERS / slug / "examples" / f"{kind}.native.{suffix}").read_bytes()


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer = self.server.peer.take(self.path, headers, body)
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


class Peer:
    """One side: checks every proof by its own code, keeps the bytes, sends its worked messages."""

    def __init__(self, slug):
        self.stand_in, self.region = stand_in_of(slug), discover()[slug]
        self.received, self.refused, self.serial = {}, [], 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        self.server.peer = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def draw(self):
        self.serial += 1
        return Draw(Random(self.serial), self.serial, self.now())

    def take(self, path, headers, body):
        kind = path.rsplit("/", 1)[1]
        try:
            heard = self.stand_in.hear(kind, headers, body, self.keys, self.now())
        except Unheard as refusal:
            self.refused.append((path, refusal.status, refusal.code, refusal.path))
            return refusal.status, self.stand_in.answer(None, refusal, self.draw())
        self.received.setdefault(kind, []).append((path, body, heard))
        return 202, self.stand_in.answer(heard, None, self.draw())

    def send(self, said):
        """One message with a proof of now; the gateway must take it."""
        headers, body = self.stand_in.request(said, self.keys, self.now(), secrets.token_hex(8))
        with httpx.Client(base_url=self.gateway, timeout=20) as client:
            answer = client.post(self.stand_in.outbox, content=body, headers=dict(headers))
        told = self.stand_in.read(answer.status_code, answer.content)
        assert (answer.status_code, told.taken) == (202, True), told.text
        return said

    def wait_for(self, kind, place=0):
        until(lambda: len(self.received.get(kind, ())) > place, 20, f"{kind}; refused {self.refused}")
        return self.received[kind][place]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
