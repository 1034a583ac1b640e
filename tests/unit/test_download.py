"""Downloads against a server on this machine that stalls, cuts, lies and refuses."""

import bz2
import hashlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from download_entries import main
from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.download import download
from polyfacet.sources.alexandria.remote_files import DOWNLOADS, RemoteFile, remote_files
from polyfacet.sources.alexandria.source_files import source_files

# Incompressible, so that the file is larger than the 1 MiB in which it is written.
CONTENT = bz2.compress(random.Random(0).randbytes(3 << 20))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2
Answer = Callable[["Handler"], None]


@dataclass
class Server:
    """A server that sends the given answers in turn, and then repeats the last one."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for headers in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    controller: Server

    def do_GET(self) -> None:
        self.controller.requests.append(dict(self.headers))
        turn = min(len(self.controller.requests), len(self.controller.answers)) - 1
        self.controller.answers[turn](self)

    def log_message(self, *_: object) -> None:
        pass

    def head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    controller = Server()
    handler = type("ControlledHandler", (Handler,), {"controller": controller})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        controller.url = f"http://127.0.0.1:{listener.server_port}"
        yield controller
        controller.released.set()
        listener.shutdown()
        thread.join()


def whole(content: bytes = CONTENT, tag: str = '"1"') -> Answer:
    """Send the file from its beginning, whatever range was requested."""

    def answer(handler: Handler) -> None:
        handler.head(200, len(content), ETag=tag)
        handler.wfile.write(content)

    return answer


def ranged(handler: Handler) -> None:
    """Send the rest of the file if it is unchanged."""
    asked = handler.headers.get("Range")
    if not asked or handler.headers.get("If-Range") != '"1"':
        whole()(handler)
        return
    start = int(asked.removeprefix("bytes=").rstrip("-"))
    content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    handler.head(206, len(CONTENT) - start, ETag='"1"', Content_Range=content_range)
    handler.wfile.write(CONTENT[start:])


def cut(tag: str = '"1"', content: bytes = CONTENT) -> Answer:
    """Close the connection in the middle of the file."""

    def answer(handler: Handler) -> None:
        handler.head(200, len(content), ETag=tag)
        handler.wfile.write(content[:HALF])
        handler.close_connection = True

    return answer


def stalled(handler: Handler) -> None:
    """Stop sending in the middle of the file."""
    handler.head(200, len(CONTENT), ETag='"1"')
    handler.wfile.write(CONTENT[:HALF])
    handler.wfile.flush()
    handler.controller.released.wait(30)
    handler.close_connection = True


def status(code: int) -> Answer:
    return lambda handler: handler.head(code, 0)


def get(server: Server, path, *answers: Answer, sha256: str | None = SHA256, attempts: int = 4) -> None:
    server.answers = list(answers)
    file = RemoteFile(f"{server.url}/entries.json.bz2", sha256)
    download(file, path, attempts=attempts, stall_timeout_s=0.5, first_wait_s=0.01)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "entries.json.bz2"


def assert_whole(path) -> None:
    assert path.read_bytes() == CONTENT
    assert {file.name for file in path.parent.iterdir()} == {path.name, f".{path.name}.origin"}


@pytest.mark.parametrize("broken", [cut(), stalled], ids=["cut", "stalled"])
def test_a_broken_transfer_resumes_where_it_stopped(server, path, broken):
    get(server, path, broken, ranged)
    assert_whole(path)
    assert server.ranges == [None, f"bytes={1 << 20}-"]


def test_a_later_run_resumes_where_the_earlier_one_stopped(server, path):
    with pytest.raises(UserError, match="cannot be downloaded"):
        get(server, path, cut(), attempts=1)
    assert not path.exists()
    server.requests.clear()
    get(server, path, ranged)
    assert_whole(path)
    assert server.ranges == [f"bytes={1 << 20}-"]


def test_a_server_without_ranges_starts_from_zero(server, path):
    get(server, path, cut(), whole())
    assert_whole(path)


def test_versions_of_a_file_that_changed_meanwhile_are_not_mixed(server, path):
    get(server, path, cut(tag='"0"', content=b"BZh" + bytes(len(CONTENT))), ranged, sha256=None)
    assert_whole(path)
    assert server.requests[1]["If-Range"] == '"0"'


def test_a_file_that_cannot_be_identified_is_not_resumed(server, path):
    get(server, path, cut(tag='W/"1"'), whole())
    assert_whole(path)
    assert server.ranges == [None, None]


def test_parts_that_do_not_fit_together_are_fetched_again(server, path):
    get(server, path, cut(content=b"BZh" + bytes(len(CONTENT))), ranged, whole())
    assert_whole(path)
    assert server.ranges == [None, f"bytes={1 << 20}-", None]


def test_a_part_longer_than_the_file_is_dropped(server, path):
    get(server, path, cut(), status(416), whole())
    assert_whole(path)
    assert server.ranges == [None, f"bytes={1 << 20}-", None]


def test_a_busy_server_is_asked_again(server, path, capfd):
    get(server, path, status(503), status(503), whole())
    assert_whole(path)
    assert len(server.requests) == 3
    assert "answers 503 Service Unavailable; trying again" in capfd.readouterr().err


def test_a_server_that_stays_busy_is_given_up_after_the_last_attempt(server, path):
    with pytest.raises(UserError, match=rf"503 .*\(3 attempts\)(.|\n)*put it at {path}"):
        get(server, path, status(503), attempts=3)
    assert len(server.requests) == 3


def test_wrong_bytes_are_rejected(server, path):
    wrong = bz2.compress(b"[]")
    with pytest.raises(UserError, match=f"SHA-256 is {hashlib.sha256(wrong).hexdigest()}.*{SHA256}"):
        get(server, path, whole(wrong))
    assert len(server.requests) == 1
    assert not list(path.parent.iterdir())


def test_a_file_that_changed_since_its_first_download_is_rejected(server, path):
    get(server, path, whole(), sha256=None)
    path.unlink()
    other = bz2.compress(b"[]")
    with pytest.raises(UserError, match=f"{SHA256} when the file was first (.|\n)*Delete that record"):
        get(server, path, whole(other), sha256=None)
    assert not path.exists()
    get(server, path, whole(), sha256=None)
    assert_whole(path)
    path.unlink()
    path.with_name(f".{path.name}.origin").unlink()
    get(server, path, whole(other), sha256=None)
    assert path.read_bytes() == other


def test_the_configured_digest_takes_precedence_over_that_of_the_first_download(server, path):
    get(server, path, whole(bz2.compress(b"[]")), sha256=None)
    path.unlink()
    get(server, path, whole())
    assert_whole(path)


def endless(handler: Handler) -> None:
    """Send a file without stating its length."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(ConnectionError):
        for _ in range(64):
            handler.wfile.write(b"BZh" + bytes(1 << 20))
    handler.close_connection = True


@pytest.mark.parametrize("answer", [whole(), endless], ids=["with a length", "without a length"])
def test_a_file_above_the_limit_is_rejected(server, path, answer):
    server.answers = [answer]
    file = RemoteFile(f"{server.url}/entries.json.bz2")
    with pytest.raises(UserError, match=r"larger than 0\.002 GB(.|\n)*download\.max_size_gb"):
        download(file, path, attempts=4, stall_timeout_s=5, max_size_gb=0.002)
    assert not path.exists()
    assert sum(left.stat().st_size for left in path.parent.iterdir()) < 3e6
    assert len(server.requests) == 1


def test_a_resumed_file_above_the_limit_is_rejected(server, path):
    server.answers = [cut(), ranged]
    file = RemoteFile(f"{server.url}/entries.json.bz2")
    with pytest.raises(UserError, match="larger than 0.002 GB"):
        download(file, path, attempts=4, stall_timeout_s=5, first_wait_s=0.01, max_size_gb=0.002)


def redirected(location: str) -> Answer:
    return lambda handler: handler.head(302, 0, Location=location)


def test_an_unencrypted_redirect_is_rejected(server, path):
    with pytest.raises(UserError, match=r"redirects to http://example\.org/x(.|\n)*download\.allow_http"):
        get(server, path, redirected("http://example.org/x"))
    assert len(server.requests) == 1


def test_a_redirect_on_this_machine_is_followed(server, path):
    get(server, path, redirected("/elsewhere"), whole())
    assert_whole(path)


def test_a_remote_redirect_to_this_machine_is_rejected(server, path, monkeypatch):
    """In this test every address resolves to this machine, so the request itself is checked."""
    reached = httpx.HTTPTransport.handle_request

    def handle_request(transport, request):
        if request.url.host == "example.org":
            return httpx.Response(302, headers={"Location": f"{server.url}/entries.json.bz2"})
        return reached(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
    with pytest.raises(UserError, match=r"redirects to http://127\.0\.0\.1"):
        download(RemoteFile("https://example.org/entries.json.bz2"), path, attempts=1)
    assert not server.requests
    server.answers = [whole()]
    download(RemoteFile("https://example.org/entries.json.bz2"), path, attempts=1, allow_http=True)
    assert_whole(path)


def test_unencrypted_addresses_must_be_allowed():
    for url in ("http://127.0.0.1:80", "http://localhost", "http://[::1]/x"):
        assert list(remote_files(url, ["x.json"])) == ["x.json"]
    with pytest.raises(UserError, match=r"http://a\.org/x\.json is not encrypted(.|\n)*allow_http"):
        remote_files("http://a.org", ["x.json"])
    assert list(remote_files("http://a.org", ["x.json"], allow_http=True)) == ["x.json"]


def test_a_web_page_is_not_an_entry_file(server, path):
    with pytest.raises(UserError, match=r"did not send a \.bz2 file \(the data begin with b'<ht'"):
        get(server, path, whole(b"<html>Log in first</html>"), sha256=None)
    assert not list(path.parent.iterdir())


def test_a_missing_file_is_not_requested_twice(server, path):
    with pytest.raises(UserError, match=rf"{server.url}/entries.json.bz2 .*404 Not Found(.|\n)*put it at"):
        get(server, path, status(404))
    assert len(server.requests) == 1


def test_without_network_the_error_says_where_to_put_the_file(path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/entries.json.bz2"
    with pytest.raises(UserError, match=rf"{url} .*\(3 attempts\).*put it at {path}"):
        download(RemoteFile(url), path, attempts=50, first_wait_s=0.01)


def test_the_script_downloads_its_output(server, path):
    server.answers = [whole()]
    main(path, url=f"{server.url}/entries.json.bz2", sha256=SHA256.upper())
    assert_whole(path)


def test_names_and_ranges_become_addresses():
    files = remote_files("https://a.org/pbe", ["x_{008..010}.json.bz2", "y_{0..1}.json", "z.json.gz"])
    assert list(files) == [
        *("x_008.json.bz2", "x_009.json.bz2", "x_010.json.bz2"),
        *("y_0.json", "y_1.json", "z.json.gz"),
    ]
    assert files["x_009.json.bz2"] == RemoteFile("https://a.org/pbe/x_009.json.bz2")


def test_a_file_can_be_anywhere_and_have_a_digest():
    entry = {"url": "https://b.org/c/d.json?v=2", "sha256": SHA256}
    assert remote_files("", [entry]) == {"d.json": RemoteFile(entry["url"], SHA256)}


@pytest.mark.parametrize(
    ("base_url", "file", "message"),
    [
        ("https://a.org", "../x.json", "does not name an entry file"),
        ("https://a.org", "/etc/x.json", "does not name an entry file"),
        ("https://a.org", ".x.json", "does not name an entry file"),
        ("https://a.org", "x.json\n", "does not name an entry file"),
        ("https://a.org", "x.exe", r"end in \.json"),
        ("https://a.org", {"url": "https://a.org/%2e%2e%2fx.json"}, "does not name an entry file"),
        ("https://a.org", {"url": "https://a.org/"}, "does not name an entry file"),
        ("file:///etc", "x.json", "must begin with https"),
        ("https://a.org", {"url": "ftp://a.org/x.json"}, "must begin with https"),
        ("https:", "x.json", "must begin with https"),
    ],
)
def test_odd_names_and_addresses_are_rejected(base_url, file, message):
    with pytest.raises(UserError, match=message):
        remote_files(base_url, [file])


def test_two_files_with_one_name_are_rejected():
    with pytest.raises(UserError, match="same name"):
        remote_files("https://a.org", ["x.json", {"url": "https://b.org/x.json"}])


def test_the_download_folder_includes_published_and_local_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    published = remote_files("https://a.org", ["b.json", "c.json"])
    DOWNLOADS.mkdir(parents=True)
    for name in ("a.json", "b.json", "c.json.part", ".b.json.origin", "notes.txt"):
        (DOWNLOADS / name).write_text("[]")
    sources = ["mine.json", "./data/alexandria/"]
    expected = ["mine.json", *(f"data/alexandria/{name}.json" for name in "abc")]
    assert source_files(sources, published) == expected
    present = ["mine.json", *(f"data/alexandria/{name}.json" for name in "ab")]
    assert source_files(sources, {}) == present
