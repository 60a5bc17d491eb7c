"""A command line that is imported once and forked for each command: seventy commands without seventy start-ups.

A command of a page runs the same code with the same folder, variables and streams as if it had been started.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

#: a command that has not ended by then has gone wrong
WITHIN_S = 90

CLIENT = """#!{python} -SEs
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect({address!r})
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n"
socket.send_fds(s, [asked[:1]], [0, 1, 2])
s.sendall(asked[1:])
said = s.recv(16)
sys.exit(int(said or b"70"))
"""


def client(address):
    """The program that stands where ``tongban`` would."""
    return CLIENT.format(python=sys.executable, address=str(address))


def start(folder, root):
    """The process that waits for commands; its socket is ``folder/warm``."""
    address = folder / "warm"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen([sys.executable, __file__, str(address)], env=environ, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"warm\n"
    return process, address


def serve(address):
    from importlib import import_module  # noqa: PLC0415

    from gateway.cli.main import WHERE, app  # noqa: PLC0415

    for module in set(WHERE.values()) - {"serve", "demo"}:
        import_module(f"gateway.cli.{module}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    door = socket.socket(socket.AF_UNIX)
    door.bind(address)
    door.listen(16)
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    while True:
        asked, _ = door.accept()
        if os.fork() == 0:
            door.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            answer(asked, app)
        asked.close()


def answer(asked, app):
    first, streams, _, _ = socket.recv_fds(asked, 1, 3)
    with asked.makefile("rb") as rest:
        words, folder, environ = json.loads(first + rest.readline())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.alarm(WITHIN_S)
    sys.argv = ["tongban", *words]
    status = 1
    try:
        app(words, prog_name="tongban")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as an interpreter ends
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(str(status).encode())
    os._exit(0)


if __name__ == "__main__":
    Path(sys.argv[1]).unlink(missing_ok=True)
    serve(sys.argv[1])
