"""The language in which a tab's states were filled: in another one they are forgotten, not shown."""

import reflex as rx

from evapp.texts.languages import Language


class Tongue(rx.State):
    """Known to the server alone."""

    _code: str = ""

    def _speak(self, one: Language) -> None:
        """A tab keeps its states over a load; whoever chose another language must not see the old words first."""
        if self._code not in ("", one.code):
            for state in self._get_root_state().substates.values():
                state.reset()  # type: ignore[no-untyped-call]
        if self._code != one.code:
            self._code = one.code
