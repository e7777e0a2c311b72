"""Malformed requests. Each must be rejected with a 4xx."""

from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID

HOST = b"Host: test\r\n"
CLOSE = b"Connection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


def request(
    method: str = "GET", target: str | bytes = f"{PRODUCTS}/", *fields: bytes, body: bytes = b""
) -> bytes:
    """Return a whole request, with a length if there is a body, that ends its connection."""
    if isinstance(target, str):
        target = target.encode()
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    lines = b"".join(field + b"\r\n" for field in fields)
    return (
        method.encode()
        + b" "
        + target
        + b" HTTP/1.1\r\n"
        + HOST
        + CLOSE
        + length
        + lines
        + b"\r\n"
        + body
    )


def with_body(body: bytes, method: str = "POST", target: str = PRODUCTS) -> bytes:
    return request(method, target, JSON.strip(), body=body or b" ")


def raw(head: bytes, body: bytes = b"") -> bytes:
    return head + b"\r\n" + body


ITEM = f"{PRODUCTS}/{UNKNOWN_ID}"
POST = f"POST {PRODUCTS} HTTP/1.1\r\n".encode() + HOST + CLOSE + JSON
BODY = b'{"name": "lamp"}'

NO_HTTP = {
    "not HTTP at all": b"hello\r\n\r\n",
    "an empty line after nothing": b"\x00\r\n\r\n",
    "the beginning of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "HTTP 0.9": b"GET /\r\n\r\n",
    "HTTP 2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "no version": b"GET / \r\n" + HOST + b"\r\n",
    "a version in small letters": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "no method": b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method": b"FETCH / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method in small letters": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method with NUL": b"GE\x00T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "no address": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address with a space": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address with NUL": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address with a line feed": b"GET /\n HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address that begins with nothing": b"GET a HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address of raw UTF-8": "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "a header with a space in its name": b"GET / HTTP/1.1\r\n" + HOST + b"A b: c\r\n\r\n",
    "a header with a space after its name": b"GET / HTTP/1.1\r\n" + HOST + b"Ab : c\r\n\r\n",
    "a header with NUL": b"GET / HTTP/1.1\r\n" + HOST + b"A: \x00\r\n\r\n",
    "a header with a bare return": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\rc\r\n\r\n",
    "a header that is folded": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n\tc: d\r\n\r\n",
}
SMUGGLED = {
    "two lengths": raw(POST + b"Content-Length: 16\r\nContent-Length: 17\r\n", BODY),
    "a length that is a list": raw(POST + b"Content-Length: 16, 16\r\n", BODY),
    "a negative length": raw(POST + b"Content-Length: -1\r\n", BODY),
    "a length with a sign": raw(POST + b"Content-Length: +16\r\n", BODY),
    "a length in hexadecimal": raw(POST + b"Content-Length: 0x10\r\n", BODY),
    "a length that is a word": raw(POST + b"Content-Length: many\r\n", BODY),
    "a length of nothing": raw(POST + b"Content-Length:\r\n", BODY),
    "a length beyond all numbers": raw(POST + b"Content-Length: " + b"9" * 40 + b"\r\n", BODY),
    "a length and chunks": raw(
        POST + b"Content-Length: 16\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"
    ),
    "chunks that come before another coding": raw(
        POST + b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"
    ),
    "an unknown coding": raw(POST + b"Transfer-Encoding: nonsense\r\n", BODY),
    "chunks written wrong": raw(POST + b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "a chunk of no size": raw(POST + b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n"),
    "a chunk of a word's size": raw(POST + b"Transfer-Encoding: chunked\r\n", b"lamp\r\n\r\n"),
    "a chunk of a negative size": raw(POST + b"Transfer-Encoding: chunked\r\n", b"-1\r\nx\r\n"),
    "a chunk beyond all numbers": raw(
        POST + b"Transfer-Encoding: chunked\r\n", b"f" * 40 + b"\r\nx\r\n"
    ),
    "a chunk that is longer than its size": raw(
        POST + b"Transfer-Encoding: chunked\r\n", b"1\r\n{}\r\n0\r\n\r\n"
    ),
}
TOO_LARGE = {
    "a long address": request(target=b"/" + b"a" * 9_000),
    "a long query": request(target=b"/?" + b"a" * 9_000),
    "an address of a megabyte": request(target=b"/" + b"a" * 1_000_000),
    "a long header": request("GET", f"{PRODUCTS}/", b"A: " + b"a" * 40_000),
    "many headers": request("GET", f"{PRODUCTS}/", *[b"A%d: a" % n for n in range(5_000)]),
    "a long name of a header": request("GET", f"{PRODUCTS}/", b"A" * 40_000 + b": a"),
    "a large body": with_body(b'{"name": "' + b"a" * 70_000 + b'"}'),
    "a larger body": with_body(b'{"name": "' + b"a" * 2_000_000 + b'"}'),
    "a body said to be large": raw(POST + b"Content-Length: 1000000000\r\n", BODY),
    "large chunks": raw(
        POST + b"Transfer-Encoding: chunked\r\n", (b"8000\r\n" + b" " * 0x8000 + b"\r\n") * 10
    ),
}
WRONG_ADDRESSES = {
    "an unknown path": request(target="/nowhere"),
    "a path outside": request(target="/../../etc/passwd"),
    "a path outside, encoded": request(target="/%2e%2e/%2e%2e/etc/passwd"),
    "a half escape": request(target="/%"),
    "an escape of no number": request(target=f"{PRODUCTS}/%zz"),
    "an escaped NUL": request(target=f"{PRODUCTS}/%00"),
    "an escape of half a character": request(target=f"{PRODUCTS}/%ff"),
    "an id that is none": request(target=f"{PRODUCTS}/1"),
    "an id with a word after it": request(target=f"{ITEM}/more"),
    "an id with a line feed": request(target=f"{ITEM}%0a"),
    "an absolute address": request(target=f"http://elsewhere{ITEM}"),
    "an authority": b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\n\r\n",
    "all of it": b"OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a method that is not there": request("TRACE", PRODUCTS),
    "a delete of all": request("DELETE", f"{PRODUCTS}/"),
    "a limit of none": request(target=f"{PRODUCTS}?limit=0"),
    "a limit below": request(target=f"{PRODUCTS}?limit=-1"),
    "a limit above": request(target=f"{PRODUCTS}?limit=201"),
    "a limit beyond all numbers": request(target=f"{PRODUCTS}?limit={'9' * 400}"),
    "a limit that is a word": request(target=f"{PRODUCTS}?limit=all"),
    "an empty limit": request(target=f"{PRODUCTS}?limit="),
    "a limit with NUL": request(target=f"{PRODUCTS}?limit=1%00"),
    "an empty cursor": request(target=f"{PRODUCTS}?cursor="),
    "a made-up cursor": request(target=f"{PRODUCTS}?cursor=AAAA"),
    "a cursor of no letters": request(target=f"{PRODUCTS}?cursor=%ff%fe"),
}
WRONG_FIELDS = {
    "an unknown media type": request("POST", PRODUCTS, b"Content-Type: text/plain", body=BODY),
    "no media type": request("POST", PRODUCTS, body=BODY),
    "a response that cannot be": request("GET", f"{PRODUCTS}/", b"Accept: text/html"),
    "a response that is ruled out": request("GET", f"{PRODUCTS}/", b"Accept: */*;q=0"),
    "an idempotency key of nothing": request(
        "POST", PRODUCTS, JSON.strip(), b"Idempotency-Key: ", body=BODY
    ),
    "a long idempotency key": request(
        "POST", PRODUCTS, JSON.strip(), b"Idempotency-Key: " + b"a" * 256, body=BODY
    ),
    "a broken If-Match": request("PATCH", ITEM, JSON.strip(), b'If-Match: "', body=BODY),
}
WRONG_BODIES = {
    "nothing": with_body(b""),
    "half an object": with_body(b'{"name": "la'),
    "two objects": with_body(b"{}{}"),
    "a word": with_body(b"lamp"),
    "null": with_body(b"null"),
    "a list": with_body(b"[]"),
    "a number": with_body(b"1"),
    "no name": with_body(b"{}"),
    "an empty name": with_body(b'{"name": ""}'),
    "a blank name": with_body(b'{"name": " \\t "}'),
    "a long name": with_body(b'{"name": "' + b"a" * 201 + b'"}'),
    "a name of a number": with_body(b'{"name": 1}'),
    "a name of null": with_body(b'{"name": null}'),
    "a name of a list": with_body(b'{"name": ["lamp"]}'),
    "a name with NUL": with_body(b'{"name": "la\\u0000mp"}'),
    "a name with a raw NUL": with_body(b'{"name": "la\x00mp"}'),
    "a name with half a character": with_body(b'{"name": "\\ud800"}'),
    "a name with the halves the wrong way": with_body(b'{"name": "\\udc00\\ud800"}'),
    "a name of no UTF-8": with_body(b'{"name": "\xff"}'),
    "a name of overlong UTF-8": with_body(b'{"name": "\xc0\xaf"}'),
    "a name of a surrogate's UTF-8": with_body(b'{"name": "\xed\xa0\x80"}'),
    "a name with a raw line feed": with_body(b'{"name": "la\nmp"}'),
    "a long description": with_body(b'{"name": "a", "description": "' + b"a" * 2001 + b'"}'),
    "a description of a number": with_body(b'{"name": "a", "description": 1e400}'),
    "an unknown field": with_body(b'{"name": "a", "colour": "blue"}'),
    "an id of one's own": with_body(b'{"name": "a", "id": "1"}'),
    "NaN": with_body(b'{"name": NaN}'),
    "Infinity": with_body(b'{"name": -Infinity}'),
    "1e400": with_body(b'{"name": 1e400}'),
    "a number of many digits": with_body(b'{"name": ' + b"9" * 5_000 + b"}"),
    "deep lists": with_body(b"[" * 30_000),
    "deep objects": with_body(b'{"a":' * 10_000),
    "single quotes": with_body(b"{'name': 'lamp'}"),
    "a comma too many": with_body(b'{"name": "lamp",}'),
    "a comment": with_body(b'{"name": "lamp" /* blue */}'),
    "a patch of a list": with_body(b"[]", "PATCH", ITEM),
    "a patch of half an object": with_body(b"{", "PATCH", ITEM),
    "a patch of an unknown field": with_body(b'{"id": "1"}', "PATCH", ITEM),
    "a put of nothing": with_body(b"", "PUT", ITEM),
    "a put without a name": with_body(b"{}", "PUT", ITEM),
}

MALFORMED = {**NO_HTTP, **SMUGGLED, **TOO_LARGE, **WRONG_ADDRESSES, **WRONG_FIELDS, **WRONG_BODIES}
