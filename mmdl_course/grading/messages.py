"""Messages from a kernel, which student code can write as it likes: what is no good message is no message.

Jupyter's client takes each message for well-formed and well-signed, and stops at the first that is not; a
submission could so break off its own grading. Here such a message is counted and dropped.
"""

import re
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.session import Session

__all__ = ["WaryClient", "WarySession"]

LARGEST = 64 << 20  # bytes of one message; a kernel that sends a larger one loses its connection
WAITING = 16  # messages that wait to be read; the next ones wait in the kernel, whose memory is limited

_HALF = re.compile("[\ud800-\udfff]")  # halves of characters, which no file takes
_DATA = {"data": dict, "metadata": dict}
# Type of message: what its content must hold.
_CONTENT: dict[str, dict[str, type | tuple[type, ...]]] = {
    "clear_output": {"wait": bool},
    "comm_close": {"comm_id": str, "data": dict},
    "comm_msg": {"comm_id": str, "data": dict},
    "comm_open": {"comm_id": str, "target_name": str, "data": dict},
    "display_data": _DATA,
    "error": {"ename": str, "evalue": str, "traceback": list},
    "execute_input": {"code": str},
    "execute_reply": {"status": str},
    "execute_result": {**_DATA, "execution_count": int},
    "status": {"execution_state": str},
    "stream": {"name": str, "text": str},
    "update_display_data": {**_DATA, "transient": dict},
}
_OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "execution_count": (int, type(None)),
    "transient": (dict, type(None)),
}


class WarySession(Session):
    """A Session in which a bad message is an empty one, which no one waits for.

    Attributes:
        dropped: how many there were.
    """

    dropped = 0

    def feed_identities(self, msg_list: list[Any], copy: bool = True) -> tuple[list[bytes], list[Any]]:
        """Split a message from its addresses; nothing is left of one that has no such place."""
        try:
            return super().feed_identities(msg_list, copy=copy)
        except ValueError:
            return [], []

    def deserialize(self, msg_list: list[Any], content: bool = True, copy: bool = True) -> dict[str, Any]:
        """Read a message.

        Args:
            msg_list: its parts.
            content: whether to read the content, too.
            copy: whether the parts are bytes.

        Returns:
            The message, or the empty one.
        """
        try:
            message = super().deserialize(msg_list, content=content, copy=copy)
            if content:
                _examine(message)
        except Exception:  # noqa: BLE001 -- whatever a kernel has thought of
            self.dropped += 1
            empty: dict[str, Any] = {"parent_header": {}, "metadata": {}, "content": {}, "buffers": []}
            return {"header": {"msg_type": "dropped"}, "msg_id": "", "msg_type": "dropped", **empty}
        return message


class WaryClient(AsyncKernelClient):
    """A client whose memory a kernel cannot fill."""

    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        context.setsockopt(zmq.RCVHWM, WAITING)
        return context


def _examine(message: dict[str, Any]) -> None:
    """Raise for a message that is not what its type promises; make its text fit for files."""
    header, content = message["header"], message["content"]
    if not all(
        isinstance(message[part], dict) for part in ("header", "parent_header", "metadata", "content")
    ):
        raise TypeError("a part is no mapping")
    if not isinstance(header["msg_type"], str):
        raise TypeError("a type that is no text")
    for name, kind in _CONTENT.get(header["msg_type"], {}).items():
        if not isinstance(content[name], kind):
            raise TypeError(name)
    for name, kind in _OPTIONAL.items():
        if name in content and not isinstance(content[name], kind):
            raise TypeError(name)
    if header["msg_type"] in ("display_data", "execute_result", "update_display_data"):
        for form, value in content["data"].items():
            if not form.endswith("json") and not _is_text(value):
                raise TypeError(form)
    if not all(isinstance(line, str) for line in content.get("traceback") or ()):
        raise TypeError("traceback")
    message["content"] = _whole(content)


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(line, str) for line in value)
    return isinstance(value, str)


def _whole(value: Any) -> Any:
    """The same with a mark in place of each half of a character."""
    if isinstance(value, str):
        return value if value.isascii() else _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(part) for name, part in value.items()}
    return value
