"""HTTP/1.1 as it is served: an offer to speak something else is passed over, as RFC 9110 §7.8 allows."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: What the JDK's client says on every plain connection unless it is told not to: ``Upgrade: h2c``.
_OFFER = re.compile(rb"(?<=\r\n)upgrade(?=:[ \t]*h2c[ \t]*\r\n)", re.IGNORECASE)
#: As long as the name it stands for.
_PASSED_OVER = b"x-offer"
_END_OF_HEAD = b"\r\n\r\n"


class Http1(HttpToolsProtocol):
    """Whoever offers HTTP/2 is served as if it had not: the parser would lose the body, and every signature with it."""

    def data_received(self, data: bytes) -> None:
        """Bytes from the line; a head comes in one piece, or is none of a client that offers."""
        if self.cycle is None or self.cycle.response_complete:
            head, end, body = data.partition(_END_OF_HEAD)
            if end:
                data = _OFFER.sub(_PASSED_OVER, head + end, count=1) + body
        super().data_received(data)
