"""HTTP/1.1 as it is served: an offer to speak something else is passed over, as RFC 9110 §7.8 allows."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: What the JDK's client says on every plain connection unless it is told not to: ``Upgrade: h2c``.
_OFFER = re.compile(rb"(?<=\r\n)upgrade(?=:[ \t]*h2c[ \t]*\r\n)", re.IGNORECASE)
#: As long as the name it stands for.
_PASSED_OVER = b"x-offer"
_END_OF_HEAD = b"\r\n\r\n"
#: The beginning of a head whose end is on its way.
_BEGUN = re.compile(rb"[A-Z]{3,7} /(?!.*\n\n)", re.DOTALL)
#: No longer head is taken; ours have less than 2 KiB. The parser knows no limit. Bytes.
_LONGEST_HEAD = 1 << 16


class Http1(HttpToolsProtocol):
    """Whoever offers HTTP/2 is served as if it had not: the parser would lose the body, and every signature with it."""

    _head = b""

    def data_received(self, data: bytes) -> None:
        """Bytes from the line; a head is handed on when it is whole."""
        if self.cycle is None or self.cycle.response_complete:
            data, self._head = self._head + data, b""
            head, end, body = data.partition(_END_OF_HEAD)
            if not end and _BEGUN.match(data):
                self._wait(data)
                return
            if end:
                data = _OFFER.sub(_PASSED_OVER, head + end, count=1) + body
        super().data_received(data)

    def _wait(self, head: bytes) -> None:
        if len(head) < _LONGEST_HEAD:
            self._head = head
        else:
            self.send_400_response("The head of the request is longer than 64 KiB.")
