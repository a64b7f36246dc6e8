# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a page of viser is told over its websocket, without a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec  # pyright: ignore[reportMissingImports]
import numpy as np
import viser  # pyright: ignore[reportMissingImports]
import zstandard  # pyright: ignore[reportMissingImports]
from websockets.exceptions import WebSocketException  # pyright: ignore[reportMissingImports]
from websockets.sync.client import connect  # pyright: ignore[reportMissingImports]
from websockets.typing import Subprotocol  # pyright: ignore[reportMissingImports]

HEADER = 16
"""Bytes before the packed messages: their size unpacked, and packed."""


SILENCE = 20.0
"""Longest time without a message [s]."""


@dataclass
class Seen:
    """The shapes of a scene by name."""

    num_vertices: dict[str, int] = field(default_factory=dict)
    """Vertices of each shape's mesh."""
    positions: dict[str, list[np.ndarray]] = field(default_factory=dict)
    """Where each shape was in the order in which it was told, one [environments, 3] [m] for each time."""

    @property
    def moved(self) -> dict[str, float]:
        """How far each shape has been from its first place [m]."""
        return {
            name: max(float(np.abs(later - places[0]).max()) for later in places)
            for name, places in self.positions.items()
        }


def watch(port: int, seconds: float, patience: float) -> Seen:
    """Listen for ``seconds``; connect again for up to ``patience`` seconds while nothing is told, as a page does.

    Raises:
        OSError: Nobody serves the port in time.
    """
    last = time.monotonic() + patience
    while True:
        try:
            return _listen(port, seconds)
        except (OSError, WebSocketException):
            if time.monotonic() > last:
                raise
            time.sleep(1.0)


def _listen(port: int, seconds: float) -> Seen:
    seen, end = Seen(), None
    protocol = Subprotocol(f"viser-v{viser.__version__}")
    with connect(
        f"ws://localhost:{port}", subprotocols=[protocol], max_size=None, compression=None, open_timeout=SILENCE
    ) as socket:
        while end is None or time.monotonic() < end:
            for message in _messages(socket.recv(timeout=SILENCE)):
                values = message.get("props" if message["type"] == "BatchedMeshesMessage" else "updates", {})
                if "vertices" in values:
                    seen.num_vertices[message["name"]] = values["vertices"].size // 3
                if "batched_positions" in values:
                    place = values["batched_positions"].reshape(-1, 3)
                    seen.positions.setdefault(message["name"], []).append(place)
            end = end or time.monotonic() + seconds
    return seen


def _messages(raw: Any) -> Iterator[dict[str, Any]]:
    """The messages of one transmission, with arrays in the place of what refers to them."""
    unpacked, packed = (int.from_bytes(raw[i : i + 8], "little") for i in (0, 8))
    body = zstandard.ZstdDecompressor().decompress(raw[HEADER : HEADER + packed], max_output_size=unpacked)
    content = msgspec.msgpack.decode(body)
    buffers, at = [], HEADER + packed
    for length in content["binaryBufferLengths"]:
        at += -at % 8
        buffers.append(raw[at : at + length])
        at += length
    for message in content["messages"]:
        for values in (message.get("props", {}), message.get("updates", {})):
            for name, value in values.items():
                if isinstance(value, dict) and "__binary_index" in value:
                    values[name] = np.frombuffer(buffers[value["__binary_index"]], value["dtype"])
        yield message
