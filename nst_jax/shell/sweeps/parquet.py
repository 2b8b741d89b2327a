"""A table as Apache Parquet: one row group, plain encoding, no compression, columns of text, integers and floats.

Written here because pyarrow, the usual writer, adds 130 MB to the installation for files of some kilobytes. The
format: github.com/apache/parquet-format (parquet.thrift, Encodings.md), its headers in Thrift's compact protocol.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nst_jax.shell.saving import replacing

INT64, DOUBLE, BYTES = 2, 5, 6  # parquet.thrift, Type
PLAIN, RLE, UTF8, OPTIONAL = 0, 3, 0, 1
I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # Thrift's compact types


class Column(NamedTuple):
    """One column as it lies in the file."""

    name: str
    kind: int
    page: bytes  # header and values
    at: int  # its first byte in the file


def write(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows, null where a row has no such key."""
    body, made = b"PAR1", list[Column]()
    for name in columns:
        values = [row.get(name) for row in rows]
        kind = kind_of(values)
        made.append(Column(name, kind, page(values, kind), len(body)))
        body += made[-1].page
    footer = metadata(made, len(rows))
    with replacing(path) as part:
        part.write_bytes(body + footer + struct.pack("<I", len(footer)) + b"PAR1")


def kind_of(values: Sequence[Any]) -> int:
    """The narrowest type that holds them all; an empty column is one of numbers."""
    known = [v for v in values if v is not None]
    if known and all(isinstance(v, int) for v in known):
        return INT64
    return DOUBLE if all(isinstance(v, int | float) for v in known) else BYTES


def page(values: Sequence[Any], kind: int) -> bytes:
    """One data page: which values are there, then the values."""
    levels = b"".join(varint(2) + bytes([value is not None]) for value in values)  # runs of length 1, bit width 1
    data = struct.pack("<I", len(levels)) + levels + b"".join(plain(v, kind) for v in values if v is not None)
    inner = fields((1, I32, len(values)), (2, I32, PLAIN), (3, I32, RLE), (4, I32, RLE))
    return fields((1, I32, 0), (2, I32, len(data)), (3, I32, len(data)), (5, STRUCT, inner)) + data


def plain(value: Any, kind: int) -> bytes:
    """One value in the plain encoding."""
    if kind == BYTES:
        text = str(value).encode()
        return struct.pack("<I", len(text)) + text
    return struct.pack("<q", value) if kind == INT64 else struct.pack("<d", value)


def metadata(columns: Sequence[Column], rows: int) -> bytes:
    """The footer: schema, and where each column lies."""
    root = fields((4, BINARY, "schema"), (5, I32, len(columns)))
    schema = [fields((1, I32, c.kind), (3, I32, OPTIONAL), (4, BINARY, c.name), *utf8(c)) for c in columns]
    chunks = [chunk(c, rows) for c in columns]
    whole = sum(len(c.page) for c in columns)
    group = fields((1, LIST, (STRUCT, chunks)), (2, I64, whole), (3, I64, rows))
    lists = ((2, LIST, (STRUCT, [root, *schema])), (3, I64, rows), (4, LIST, (STRUCT, [group])))
    return fields((1, I32, 1), *lists, (6, BINARY, "nst_jax"))


def utf8(column: Column) -> Sequence[tuple[int, int, Any]]:
    return [(6, I32, UTF8)] if column.kind == BYTES else []


def chunk(c: Column, rows: int) -> bytes:
    """ColumnChunk, with its ColumnMetaData."""
    size = len(c.page)
    told = [(1, I32, c.kind), (2, LIST, (I32, [PLAIN, RLE])), (3, LIST, (BINARY, [c.name])), (4, I32, 0)]
    told += [(5, I64, rows), (6, I64, size), (7, I64, size), (9, I64, c.at)]
    return fields((2, I64, c.at), (3, STRUCT, fields(*told)))


def fields(*parts: tuple[int, int, Any]) -> bytes:
    """A Thrift struct in the compact protocol, from (number, type, value) in rising order."""
    text, last = b"", 0
    for number, kind, value in parts:
        text += bytes([(number - last) << 4 | kind]) + encoded(kind, value)
        last = number
    return text + b"\0"


def encoded(kind: int, value: Any) -> bytes:
    """One Thrift value; a struct comes encoded already."""
    if kind in (I32, I64):
        return varint(value << 1)  # zigzag of what is never negative
    if kind == BINARY:
        return varint(len(value.encode())) + value.encode()
    if kind == STRUCT:
        return value
    inner, items = value
    size = bytes([len(items) << 4 | inner]) if len(items) < 15 else bytes([0xF0 | inner]) + varint(len(items))
    return size + b"".join(encoded(inner, item) for item in items)


def varint(number: int) -> bytes:
    """LEB128."""
    text = b""
    while number > 0x7F:
        text, number = text + bytes([number & 0x7F | 0x80]), number >> 7
    return text + bytes([number])
