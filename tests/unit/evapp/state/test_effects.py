"""A wish is performed once, by the tab whose handler made it."""

import pytest
import reflex as rx

from evapp.state.effects import Effects


@pytest.fixture
async def effects() -> Effects:
    root = rx.State(_reflex_internal_init=True)
    return await root.get_state(Effects)


def _on_socket(effects: Effects, sid: str) -> None:
    root = effects._get_root_state()
    session = root.router.session.__class__(**{**vars(root.router.session), "session_id": sid})
    root.router = root.router.__class__(**{**vars(root.router), "session": session})
    root._clean()


async def test_nothing_is_wished_for_at_first(effects: Effects) -> None:
    _on_socket(effects, "one")
    assert (effects.leave_to, effects.sentence) == ("", "")


async def test_leaving_is_told_to_the_socket_that_asked_alone(effects: Effects) -> None:
    _on_socket(effects, "one")
    effects._leave("/payments/go/7")
    assert effects.leave_to == "/payments/go/7"
    _on_socket(effects, "two")
    assert effects.leave_to == ""


async def test_a_tap_whose_handler_failed_is_answered(effects: Effects) -> None:
    """Its button would stay busy, and the sentence asks to try again."""
    _on_socket(effects, "one")
    effects.failed()
    assert (effects.answers, effects.sentence.startswith("Something went wrong on our side.")) == (1, True)


async def test_the_same_wish_twice_has_two_names(effects: Effects) -> None:
    _on_socket(effects, "one")
    effects._say("Saved.")
    first = effects.wish
    effects._say("Saved.")
    assert effects.sentence == "Saved."
    assert effects.wish != first


async def test_a_later_sentence_does_not_repeat_an_earlier_leaving(effects: Effects) -> None:
    _on_socket(effects, "one")
    effects._leave("/files/receipt.pdf")
    effects._say("Saved.")
    assert (effects.leave_to, effects.sentence) == ("", "Saved.")


async def test_sentences_of_one_moment_are_said_together(effects: Effects) -> None:
    """And none again with what is said later, nor on another socket."""
    _on_socket(effects, "one")
    effects._say("It ended.", "message")
    effects._say("That is free.", "quiet")
    assert (effects.sentence, effects.tone) == ("It ended. That is free.", "message")
    effects._clean()
    effects._say("Saved.")
    assert effects.sentence == "Saved."
    _on_socket(effects, "two")
    effects._say("Added.")
    assert effects.sentence == "Added."


async def test_a_failed_handler_is_told_in_our_words(effects: Effects) -> None:
    _on_socket(effects, "one")
    Effects.failed.fn(effects)
    assert effects.sentence.startswith("Something went wrong on our side.")
    assert effects.tone == "error"
