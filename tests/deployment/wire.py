"""What stands around the stack on this machine: a double of Meta's Graph API, and an ear on the wire.

The functions reach AWS through the ear, which passes everything on to the emulator unchanged and
remembers what the emulator forgets: the headers and tags of an e-mail, and how often each service was
called.
"""

import http.client
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    """One request a connection, so that a server that is stopped has nobody connected."""

    def log_message(self, format, *arguments):
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes, headers=(("Content-Type", "application/json"),)):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Whoever hangs up has what it wanted, or was ended: nothing to report."""


def serve(handler, port: int = 0, **what) -> Server:
    server = Server(("127.0.0.1", port), type(handler.__name__, (handler,), what))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class Graph:
    """Meta's `POST /{version}/{number}/messages`. Keeps every request it accepted, with the id it gave."""

    def __init__(self, token: str):
        self.token = token
        self.sent: list[dict] = []
        self.refused = 0
        self.mode = "up"
        self._lock = threading.Lock()
        self._server = serve(_Graph, graph=self)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v23.0"

    def down(self):
        """Nobody listens any more: connections are refused."""
        self.close()

    def up(self):
        self._server = serve(_Graph, self.port, graph=self)
        self.mode = "up"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def accept(self, request: dict) -> dict:
        with self._lock:
            request["wamid"] = f"wamid.out.{len(self.sent) + 1}"
            self.sent.append(request)
        to = request["to"].lstrip("+")
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": request["to"], "wa_id": to}],
            "messages": [{"id": request["wamid"], "message_status": "accepted"}],
        }

    def to(self, phone: str) -> list[dict]:
        return [request for request in list(self.sent) if request["to"].lstrip("+") == phone.lstrip("+")]


class _Graph(Quiet):
    graph: Graph

    def do_POST(self):
        graph, body = self.graph, self.body()
        if self.headers.get("Authorization") != f"Bearer {graph.token}":
            graph.refused += 1
            return self.answer(401, b'{"error": {"message": "bad token", "code": 190}}')
        if graph.mode == "failing":
            graph.refused += 1
            return self.answer(503, b'{"error": {"message": "unavailable", "code": 2, "is_transient": true}}')
        self.answer(200, json.dumps(graph.accept(json.loads(body))).encode())


class Ear:
    """Passes on to the emulator, and listens."""

    def __init__(self, emulator_port: int):
        self.emulator_port = emulator_port
        self.mails: list[dict] = []
        self.calls: Counter = Counter()
        self._server = serve(_Ear, ear=self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def hear(self, method: str, path: str, target: str, body: bytes):
        self.calls[target or f"{method} {path.split('?')[0].split('/')[1]}"] += 1
        if method == "POST" and path.startswith("/v2/email/outbound-emails"):
            self.mails.append(json.loads(body))

    def mails_to(self, address: str) -> list[dict]:
        return [mail for mail in list(self.mails) if address in mail["Destination"]["ToAddresses"]]


class _Ear(Quiet):
    ear: Ear
    protocol_version = "HTTP/1.1"

    def relay(self):
        body = self.body()
        self.ear.hear(self.command, self.path, self.headers.get("X-Amz-Target", ""), body)
        emulator = http.client.HTTPConnection("127.0.0.1", self.ear.emulator_port, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            emulator.request(self.command, self.path, body, headers)
            answer = emulator.getresponse()
            own = {"connection", "content-length", "transfer-encoding"}
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in own]
            self.answer(answer.status, answer.read(), kept)
        finally:
            emulator.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = relay
