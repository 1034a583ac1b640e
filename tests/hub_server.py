"""A local server for the parts of the Hugging Face hub that the project uses."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Repositories that a replacement of the hub serves, and the requests that it received."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.requests: list[str] = []


class HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append(path)
        content, headers = self.content_of(path)
        self.send_response(200 if content is not None else 404)
        for name, value in {**headers, "Content-Length": str(len(content or b""))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and content:
            self.wfile.write(content)

    def content_of(self, path: str) -> tuple[bytes | None, dict[str, str]]:
        for repository, files in self.hub.repositories.items():
            if path.startswith(f"/{repository}/resolve/{REVISION}/"):
                content = files.get(path.rsplit("/", 1)[1])
                if content is not None:
                    tag = hashlib.sha256(content).hexdigest()
                    return content, {"ETag": f'"{tag}"', "X-Repo-Commit": REVISION}
            if path.startswith(f"/api/models/{repository}/tree/"):
                tree = [
                    {
                        "type": "file",
                        "path": name,
                        "size": len(content),
                        "oid": hashlib.sha1(content).hexdigest(),
                    }
                    for name, content in files.items()
                ]
                return json.dumps(tree).encode(), {"Content-Type": "application/json"}
            if path.startswith(f"/api/models/{repository}"):
                siblings = [{"rfilename": name} for name in files]
                info = {"id": repository, "sha": REVISION, "private": False, "siblings": siblings}
                return json.dumps(info).encode(), {"Content-Type": "application/json"}
        return None, {"X-Error-Code": "RepoNotFound"}


@contextmanager
def serve_hub(monkeypatch: pytest.MonkeyPatch, repositories: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    """Serve repositories, given as names with their files, instead of the real hub."""
    from huggingface_hub import constants

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    content = Hub()
    content.repositories |= repositories
    handler = type("OneHubHandler", (HubHandler,), {"hub": content})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        endpoint = f"http://127.0.0.1:{listener.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        try:
            yield content
        finally:
            listener.shutdown()
            thread.join()


def add_snapshot(cache: Path, repository: str, files: dict[str, bytes], revision: str = REVISION) -> Path:
    """Put a repository into a cache, as the hub's library lays it out."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / revision
    for path in (folder / "refs", folder / "blobs", snapshot):
        path.mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(revision)
    for name, content in files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot
