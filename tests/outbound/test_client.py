"""What is fetched, and what is not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest

from app.outbound import client
from tests.security import forging as f


async def test_a_small_document_is_fetched_as_it_is():
    with f.serving() as server:
        server.answer = (200, {"Content-Type": "text/plain"}, b'{"keys": []}\n')
        assert await client.fetch_json(server.url) == b'{"keys": []}\n'


async def test_a_document_of_the_limit_is_fetched_and_not_a_byte_more():
    with f.serving() as server:
        server.answer = (200, {}, b"x" * 100)
        assert await client.fetch_json(server.url, limit=100) == b"x" * 100
        with pytest.raises(client.FetchFailed, match="more than 99 bytes"):
            await client.fetch_json(server.url, limit=99)


async def test_a_redirect_is_not_followed():
    with f.serving() as server:
        server.answer = (302, {"Location": server.url + "/elsewhere"}, b"")
        with pytest.raises(client.FetchFailed, match="redirects are not followed"):
            await client.fetch_json(server.url)
        assert server.paths == ["/certs"]


@pytest.mark.parametrize("status", [201, 204, 304, 401, 404, 500])
async def test_any_answer_but_200_is_a_failure(status):
    with f.serving() as server:
        server.answer = (status, {}, b"")
        with pytest.raises(client.FetchFailed, match=f"answered {status}"):
            await client.fetch_json(server.url)


async def test_what_is_compressed_is_refused():
    with f.serving() as server:
        server.answer = (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b")
        with pytest.raises(client.FetchFailed, match="content encoding"):
            await client.fetch_json(server.url)


def tls(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_server_with_a_certificate_of_its_own_making_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with f.serving(tls(f.certificate(tmp_path))) as server:
        with pytest.raises(client.FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await client.fetch_json(server.url)
        assert server.paths == []


async def test_a_certificate_that_the_environment_trusts_is_believed(tmp_path, monkeypatch):
    pem = f.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with f.serving(tls(pem)) as server:
        server.answer = (200, {}, b"{}")
        assert await client.fetch_json(server.url) == b"{}"


async def test_a_certificate_file_that_is_missing_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(client.FetchFailed):
        await client.fetch_json("https://127.0.0.1:1/")


async def test_a_server_that_is_not_there_is_a_failure():
    with f.serving() as server:
        url = server.url
    with pytest.raises(client.FetchFailed, match="ConnectError"):
        await client.fetch_json(url)


async def test_an_answer_that_breaks_off_is_a_failure():
    with f.serving() as server:
        server.answer = (200, {"Content-Length": "100"}, b"{")
        with pytest.raises(client.FetchFailed, match="RemoteProtocolError"):
            await client.fetch_json(server.url)


async def test_a_server_that_drips_is_left_at_the_deadline():
    gone = asyncio.Event()

    async def drip(_reader, writer):
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(client.FetchFailed, match="did not answer within"):
            await client.fetch_json(f"http://127.0.0.1:{port}/", timeout=0.2)
        async with asyncio.timeout(5):
            await gone.wait()


@pytest.mark.parametrize(
    "url",
    [
        "https://sso.example/certs",
        "https://sso.example:8443/certs?a=b",
        "https://192.0.2.1/",
        "http://127.0.0.1:8080/certs",
        "http://127.9.9.9/",
        "http://localhost/",
        "http://[::1]:8080/",
    ],
)
def test_https_and_this_machine_may_be_asked(url):
    assert client.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sso.example/certs",
        "//sso.example/certs",
        "http://sso.example/certs",
        "http://192.0.2.1/",
        "http://10.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "ftp://sso.example/certs",
        "file:///etc/passwd",
        "https://",
        "https:///certs",
        "https://user:secret@sso.example/",
        "https://sso.example:port/",
        "http://[::1/",
    ],
)
async def test_nothing_else_may_be_asked(url):
    with pytest.raises(client.FetchFailed) as refused:
        await client.fetch_json(url)
    assert "secret" not in refused.value.message
