"""Whatever comes over the wire is understood or set aside; nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms import frames
from domain.wire import DEEPEST

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


@given(st.text() | st.binary())
def test_no_frame_raises(raw: str | bytes) -> None:
    assert frames.read(raw)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_goes_on_or_back_has_so_many_levels(opening: str, closing: str) -> None:
    """An answer goes on to other processes, an id comes back; the payload of a question is only read."""
    for levels, deep in ((DEEPEST, False), (DEEPEST + 1, True), (900, True)):
        nested = opening * (levels - 1) + "1" + closing * (levels - 1)
        assert isinstance(frames.read(f'[2,"a","StopTransaction",{nested}]'), frames.Call)
        for frame in (f'[3,"a",{nested}]', f'[2,{nested},"Heartbeat",{{}}]', f'[4,{nested},"GenericError"]'):
            assert isinstance(frames.read(frame), frames.Unreadable) is deep


def test_an_answer_holds_only_what_others_can_write_down() -> None:
    """Half of a character may be spelt in JSON, but neither stored, shown nor sent on."""
    assert frames.read(r'[3,"a",{"vendorInfo":["\ud800"]}]') == frames.Result("a", {"vendorInfo": ["?"]})
    assert frames.read(r'[4,"a","Odd\udfff","\ud800"]') == frames.Error("a", "Odd?", "?")


@given(st.lists(JSON, max_size=6).map(lambda rest: [2, *rest]))
def test_every_call_that_names_an_id_is_served_or_answered(message: list[object]) -> None:
    """Q14: never a silent drop."""
    read = frames.read(json.dumps(message))
    if len(message) > 1:
        assert isinstance(read, (frames.Call, frames.Unreadable))
        assert read.id == message[1]


@given(JSON)
def test_an_id_comes_back_as_typed(id_: object) -> None:
    """Q15."""
    call = frames.read(json.dumps([2, id_, "Heartbeat", {}]))
    assert isinstance(call, frames.Call)
    assert json.loads(frames.result(call.id, {}))[1] == id_


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(0, 40))
def test_the_id_of_a_cut_frame_is_found(id_: str, cut: int) -> None:
    """Q14: as long as the id itself is whole."""
    whole = json.dumps([2, id_, "Heartbeat", {"a": "b"}])
    head = whole[: len(whole) - 1 - cut]
    read = frames.read(head)
    if head.startswith(json.dumps([2, id_])[:-1] + ","):
        assert isinstance(read, frames.Unreadable)
        assert read.id == id_


def test_a_type_written_as_text_is_read() -> None:
    """Q12."""
    assert frames.read('["2","a","Heartbeat",{}]') == frames.Call("a", "Heartbeat", {})
    assert frames.read('["3","a",{}]') == frames.Result("a", {})


def test_what_was_odd_is_noted() -> None:
    call = frames.read(b'[2,"a","Heartbeat",{},5]')
    assert isinstance(call, frames.Call)
    assert len(call.repairs) == 2
