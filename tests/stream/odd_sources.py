"""Sources that follow LSL's protocol of discovery and declare what no library lets one declare."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

#: liblsl asks known peers on this port and those after it.
FIRST_PORT, N_PORTS = 16572, 128


def declaration(name: bytes, port: int, **fields: bytes) -> bytes:
    """Return the short description that a stream answers a search with.

    Parameters
    ----------
    name : bytes
    port : int
        Where it takes connections.
    **fields : bytes
        Replace the texts of its elements.
    """
    texts = {
        "name": name,
        "type": b"EEG",
        "channel_count": b"4",
        "channel_format": b"float32",
        "source_id": name,
        "nominal_srate": b"250.0",
        "version": b"1.10",
        "created_at": b"1.5",
        "uid": b"uid of " + name,
        "session_id": b"default",
        "hostname": b"here",
        "v4address": b"",
        "v4data_port": b"%d" % port,
        "v4service_port": b"%d" % port,
        "v6address": b"",
        "v6data_port": b"0",
        "v6service_port": b"0",
        "desc": b"",
    }
    elements = ((tag.encode(), text) for tag, text in (texts | fields).items())
    body = b"".join(b"<%s>%s</%s>" % (tag, text, tag) for tag, text in elements)
    return b'<?xml version="1.0"?><info>' + body + b"</info>"


class OddSources:
    """Answers every search with all of its declarations; accepts connections and says nothing."""

    def __init__(self) -> None:
        self.declarations: Sequence[bytes] = ()
        self._accepting = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._accepting.getsockname()[1])
        self._asked = self._bind()
        self._thread = threading.Thread(target=self._answer, daemon=True)

    @staticmethod
    def _bind() -> socket.socket:
        for port in range(FIRST_PORT + N_PORTS - 1, FIRST_PORT, -1):
            asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                asked.bind(("127.0.0.1", port))
            except OSError:
                asked.close()
            else:
                return asked
        raise OSError("no port is free at which LSL asks")

    def _answer(self) -> None:
        while True:
            query, (host, _) = self._asked.recvfrom(65536)
            lines = query.split(b"\r\n")
            if lines[0] != b"LSL:shortinfo" or len(lines) < 3:
                return  # the end
            port, number = lines[2].split()[:2]
            for one in self.declarations:
                self._asked.sendto(number + b"\r\n" + one, (host, int(port)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", self._asked.getsockname())
        self._thread.join()
        self._asked.close()
        self._accepting.close()
