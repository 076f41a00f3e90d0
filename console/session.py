"""Who is signed in: sessions in this process's memory, found by a random cookie. The credential never leaves it.

Cookies and redirects are `web`'s business; what a credential may do is the API's.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

COOKIE = "filagent_session"
_MOST = 1000  # sessions at a time; the one unused for longest makes room


@dataclass(slots=True, repr=False, eq=False)
class Session:
    """One signed-in browser.

    Attributes:
        id: 256 random bits; in the cookie, and nowhere else.
        credential: an API key or a bearer token, for the API alone.
        me: what `GET /me` said at sign-in: name, role, actions, backends.
        actions: what the role may do.
        began: seconds of the sessions' clock.
        seen: the same, of its last request.
        pages: the page loads (Gradio's session hashes) that are this session's.
        kept: what tabs keep for it between two calls, by name; small, and gone with it.
        renewed: gives the credential where it is one that is renewed from time to time (`oidc`).
    """

    id: str
    credential: str
    me: Mapping[str, Any]
    actions: frozenset[str]
    began: float
    seen: float
    pages: set[str] = field(default_factory=set)
    kept: dict[str, Any] = field(default_factory=dict)
    renewed: Callable[[], Awaitable[str]] | None = None


class Sessions:
    """All sessions of one console."""

    def __init__(
        self, *, idle_seconds: float, most_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle, self._most, self._clock = idle_seconds, most_seconds, clock
        self._sessions: dict[str, Session] = {}
        self._owners: dict[str, str] = {}

    def begin(self, credential: str, me: Mapping[str, Any]) -> Session:
        """A new session for a credential that the API has accepted."""
        self._sweep()
        now = self._clock()
        actions = frozenset(str(item["action"]) for item in me.get("actions", ()))
        session = Session(secrets.token_urlsafe(32), credential, me, actions, now, now)
        self._sessions[session.id] = session
        return session

    def find(self, cookie: str | None, *, touch: bool = True) -> Session | None:
        """The living session of a cookie; `touch`: this is the person's own doing, so its idle time begins anew."""
        session = self._sessions.get(cookie or "")
        if session is None:
            return None
        if self._is_over(session):
            self.end(session)
            return None
        if touch:
            session.seen = self._clock()
        return session

    def end(self, session: Session) -> None:
        """Forget it, its credential and what tabs kept for it."""
        self._sessions.pop(session.id, None)
        for page in session.pages:
            self._owners.pop(page, None)
        session.credential = ""
        session.renewed = None
        session.kept.clear()

    def owns(self, session: Session, page: str) -> bool:
        """Whether a page load is this session's; the first who names one has it."""
        if self._owners.setdefault(page, session.id) != session.id:
            return False
        session.pages.add(page)
        return True

    def _is_over(self, session: Session) -> bool:
        now = self._clock()
        return now - session.seen > self._idle or now - session.began > self._most

    def _sweep(self) -> None:
        for session in [each for each in self._sessions.values() if self._is_over(each)]:
            self.end(session)
        while len(self._sessions) >= _MOST:
            self.end(min(self._sessions.values(), key=lambda each: each.seen))
