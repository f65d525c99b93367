"""What a handler asks the browser to do, without eval: bound to one websocket, so a reload never repeats it.

A handler of any state writes `(await self.get_state(Effects))._leave("/payments/go/7")` or `._say("Saved.")`;
evapp/components/effects.py, mounted once on every page, performs it.
"""

from typing import Literal

import reflex as rx

from evapp.texts import t


class Effects(rx.State):
    """The wishes of the latest handler, and the socket they were made on."""

    answers: int = 0
    """Counts the taps that were answered; a page that comes anew answers those before it."""
    _socket: str = ""
    _count: int = 0
    _path: str = ""
    _sentence: str = ""
    _tone: str = ""

    def _leave(self, path: str) -> None:
        """Load `path`, a local path, in full: it may be a server route, and a new socket carries the cookie of now."""
        self._wish(path=path)

    def _say(self, sentence: str, tone: Literal["success", "message", "error", "quiet"] = "success") -> None:
        """Show one sentence for a moment; to a driver who looks at something else, as his device's own notice.

        `quiet` is for what the page itself shows already: it is said only there. What was said before it and is not on
        its way yet, as with two pieces of news in one push, is said with it.
        """
        before = self._sentence if self._mine() and "_count" in self.dirty_vars else ""
        if before and sentence not in before:
            self._wish(sentence=f"{before} {sentence}", tone=self._tone if tone == "quiet" else tone)
        else:
            self._wish(sentence=sentence, tone=tone)

    def _answer(self) -> None:
        self.answers += 1

    def _wish(self, path: str = "", sentence: str = "", tone: str = "") -> None:
        self._socket = self.router.session.session_id
        self._count += 1
        self._path, self._sentence, self._tone = path, sentence, tone

    def _mine(self) -> bool:
        return self._socket == self.router.session.session_id

    @rx.var
    def leave_to(self) -> str:
        """Where to go now."""
        return self._path if self._mine() else ""

    @rx.var
    def sentence(self) -> str:
        """What to say now."""
        return self._sentence if self._mine() else ""

    @rx.var
    def tone(self) -> str:
        """How to say it."""
        return self._tone

    @rx.var
    def wish(self) -> str:
        """Names this wish: a new name makes the browser act again."""
        return str(self._count)

    @rx.event
    def failed(self) -> None:
        """What a driver reads when a handler raised; his tap is answered, so that he can try again."""
        self._answer()
        self._say(t("Something went wrong on our side. Please try again; your wallet shows all you paid."), "error")
