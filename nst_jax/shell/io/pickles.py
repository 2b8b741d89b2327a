"""Read what a pickle of tensors describes, without executing it.

A pickle is a program for a small stack machine; `pickle` runs it and lets it call anything. Here the opcodes are only
decoded (`pickletools.genops` executes nothing) and replayed by the table below on plain dicts, lists and tuples. A
global that torch does not use for a tensor is refused by name when it occurs, whether it is called or not.
"""

import pickletools
from collections.abc import Callable
from typing import Any, NamedTuple

DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "<?",
}


MOST = 1_000_000  # opcodes; the pickle of VGG-19 has 700


class Refused(Exception):
    """The pickle holds something that is not a tensor of numbers; the message names it."""


class Storage(NamedTuple):
    """A flat array of numbers, elsewhere in the file."""

    key: str
    dtype: str
    start: int  # in elements; a view into another storage begins further on


class Tensor(NamedTuple):
    """A view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Global(NamedTuple):
    """A name that the pickle mentions. Nothing is imported for it."""

    name: str


class Machine(NamedTuple):
    """The state of the opcodes."""

    stack: list[Any]
    marks: list[int]
    memo: dict[int, Any]


def replay(stream: Any) -> Any:
    """The content of one pickle: plain dicts, lists, tuples, numbers, strings and `Tensor`s.

    Args:
      stream: a binary file at the pickle's first byte; it is left after the pickle's last.

    Raises:
      Refused: the pickle holds anything else.
      ValueError, LookupError, TypeError, AttributeError or EOFError: the pickle is damaged.
    """
    machine = Machine([], [], {})
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if number >= MOST:
            raise ValueError(f"the pickle has more than {MOST:,} opcodes")
        if opcode.name == "STOP":
            return machine.stack.pop()
        if opcode.name not in OPCODES:
            raise Refused(f"the pickle opcode {opcode.name}")
        OPCODES[opcode.name](machine, argument)
    raise EOFError("the pickle has no end")


def _pop_to_mark(m: Machine) -> list[Any]:
    start = m.marks.pop()
    items = m.stack[start:]
    del m.stack[start:]
    return items


def _pop_last(m: Machine, n: int) -> list[Any]:
    items = [m.stack.pop() for _ in range(n)]
    return items[::-1]


def _set(m: Machine, items: list[Any]) -> None:
    if not isinstance(m.stack[-1], dict):
        raise ValueError("items for something that is not a dict")
    m.stack[-1].update(_with_keys(zip(items[::2], items[1::2], strict=True)))


def _with_keys(pairs: Any) -> dict[Any, Any]:
    """The pairs as a dict. To hash a key of nested tuples may take for ever."""
    found = [(key, value) for key, value in pairs]
    if not all(isinstance(key, str | int) for key, _ in found):
        raise ValueError("a dict with keys that are neither texts nor whole numbers")
    return dict(found)


def _extend(m: Machine, items: list[Any]) -> None:
    if not isinstance(m.stack[-1], list):
        raise ValueError("items for something that is not a list")
    m.stack[-1].extend(items)


def _global(m: Machine, name: str) -> None:
    storage = name.removeprefix("torch.") in DTYPES
    if not storage and name not in CALLS:
        raise Refused(name)
    m.stack.append(Global(name))


def _call(m: Machine, _: Any) -> None:
    function, arguments = _pop_last(m, 2)
    if not isinstance(function, Global) or function.name not in CALLS:
        raise Refused(f"a call of {getattr(function, 'name', function)!s}")
    m.stack.append(CALLS[function.name](*arguments))


def _state(m: Machine, _: Any) -> None:
    m.stack.pop()  # torch gives its OrderedDict an attribute `_metadata` (module versions): no weights in it
    if not isinstance(m.stack[-1], dict):
        raise Refused("state for something that is not a dict")


def _persistent(m: Machine, _: Any) -> None:
    kind, storage, key, _device, _size, *view = m.stack.pop()
    if not isinstance(key, str | int):
        raise ValueError("a storage whose name is no text")
    if not isinstance(kind, str):
        raise Refused("a persistent object")
    if kind != "storage" or not isinstance(storage, Global):
        raise Refused(f"a persistent object {kind!s}")
    start = view[0][1] if view and view[0] else 0
    m.stack.append(Storage(str(key), DTYPES[storage.name.removeprefix("torch.")], start))


def _tensor(storage: Storage, offset: int, shape: tuple, strides: tuple, *_grad_and_hooks: Any) -> Tensor:
    if not isinstance(storage, Storage) or not all(type(n) is int for n in (offset, *shape, *strides)):
        raise ValueError("a tensor without a storage, or with sizes that are not integers")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


CALLS: dict[str, Callable] = {
    "collections.OrderedDict": lambda pairs=(): _with_keys(pairs),
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *_grad_and_hooks: tensor,
}

OPCODES: dict[str, Callable[[Machine, Any], Any]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda m, a: None),
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "BINUNICODE", "UNICODE"),
        lambda m, a: m.stack.append(a),
    ),
    **dict.fromkeys(("SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING", "STRING"), lambda m, a: m.stack.append(a)),
    "NONE": lambda m, a: m.stack.append(None),
    "NEWTRUE": lambda m, a: m.stack.append(True),
    "NEWFALSE": lambda m, a: m.stack.append(False),
    "MARK": lambda m, a: m.marks.append(len(m.stack)),
    "POP": lambda m, a: m.stack.pop(),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "PUT"), lambda m, a: m.memo.update({int(a): m.stack[-1]})),
    "MEMOIZE": lambda m, a: m.memo.update({len(m.memo): m.stack[-1]}),
    **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), lambda m, a: m.stack.append(m.memo[int(a)])),
    "EMPTY_DICT": lambda m, a: m.stack.append({}),
    "EMPTY_LIST": lambda m, a: m.stack.append([]),
    "EMPTY_TUPLE": lambda m, a: m.stack.append(()),
    "DICT": lambda m, a: (items := _pop_to_mark(m), m.stack.append({}), _set(m, items)),
    "LIST": lambda m, a: m.stack.append(_pop_to_mark(m)),
    "TUPLE": lambda m, a: m.stack.append(tuple(_pop_to_mark(m))),
    "TUPLE1": lambda m, a: m.stack.append(tuple(_pop_last(m, 1))),
    "TUPLE2": lambda m, a: m.stack.append(tuple(_pop_last(m, 2))),
    "TUPLE3": lambda m, a: m.stack.append(tuple(_pop_last(m, 3))),
    "SETITEM": lambda m, a: _set(m, _pop_last(m, 2)),
    "SETITEMS": lambda m, a: _set(m, _pop_to_mark(m)),
    "APPEND": lambda m, a: _extend(m, _pop_last(m, 1)),
    "APPENDS": lambda m, a: _extend(m, _pop_to_mark(m)),
    "GLOBAL": lambda m, a: _global(m, a.replace(" ", ".")),
    "STACK_GLOBAL": lambda m, a: _global(m, ".".join(_pop_last(m, 2))),
    "REDUCE": _call,
    "BUILD": _state,
    "BINPERSID": _persistent,
}
