"""A bounded queue that takes turns between owners: pure data, no waiting and no clock (those are `service`'s).

Each owner's items leave in the order they came; owners take turns, so one who asks a hundred times delays another by
one answer, not by a hundred. When it is full, a newcomer displaces the latest item of the owner who holds most, if that
owner holds at least two more than he would: filling the queue alone does not shut others out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueFullError(Exception):
    """There is no room, and nobody holds so much more that he should give way."""


class FairQueue(Generic[T]):
    """At most `capacity` items, served round robin over owners. Items are compared by identity."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._capacity = capacity
        self._size = 0
        self._lines: dict[str, deque[T]] = {}  # insertion order is the order of turns

    def __len__(self) -> int:
        return self._size

    def put(self, owner: str, item: T) -> T | None:
        """Add an item; returns the one that was displaced for it, if any.

        Raises:
            QueueFullError: no room for this owner.
        """
        displaced: T | None = None
        if self._size >= self._capacity:
            greediest = max(self._lines, key=lambda name: len(self._lines[name]))
            if len(self._lines[greediest]) < len(self._lines.get(owner, ())) + 2:
                raise QueueFullError
            displaced = self._lines[greediest].pop()
            self._size -= 1
        self._lines.setdefault(owner, deque()).append(item)
        self._size += 1
        return displaced

    def get(self) -> T | None:
        """Remove and return the next item, or None when there is none."""
        if not self._lines:
            return None
        owner = next(iter(self._lines))
        line = self._lines.pop(owner)
        item = line.popleft()
        self._size -= 1
        if line:
            self._lines[owner] = line
        return item

    def remove(self, item: T) -> bool:
        """Take an item out of its place; False when it is not here (any more)."""
        for owner, line in self._lines.items():
            for position, candidate in enumerate(line):
                if candidate is item:
                    del line[position]
                    self._size -= 1
                    if not line:
                        del self._lines[owner]
                    return True
        return False

    def __iter__(self) -> Iterator[T]:
        """The items as they are now, owner by owner; the queue may be changed meanwhile."""
        return iter([item for line in self._lines.values() for item in line])

    def drain(self) -> list[T]:
        """Remove and return everything."""
        items = list(self)
        self._lines.clear()
        self._size = 0
        return items
