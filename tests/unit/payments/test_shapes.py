"""What is exact and what is tolerated in PhonePe's JSON."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import shapes

PENDING = {"orderId": "OMO1", "state": "PENDING", "amount": 50_000}

PAID: dict[str, Any] = {
    "orderId": "OMO2611221031432439957851",
    "state": "COMPLETED",
    "amount": 50_000,
    "errorCode": "AUTHORIZATION_ERROR",
    "paymentDetails": [
        {
            "transactionId": "OM1",
            "paymentMode": "UPI_QR",
            "state": "COMPLETED",
            "splitInstruments": [
                {
                    "rail": {"type": "UPI", "utr": "455069731511", "vpa": "asha@ybl"},
                    "instrument": {"maskedAccountNumber": "XXX1234", "accountHolderName": "Asha", "type": "ACCOUNT"},
                }
            ],
        },
        {"transactionId": "OM2", "paymentMode": "CARD", "state": "FAILED"},
    ],
}


def read(**other: Any) -> Any:
    body = shapes.parsed(json.dumps(PENDING | other).encode())
    return shapes.order_status(body, "RCH-1")


@pytest.mark.parametrize(("amount", "paise"), [(0, 0), (50_000, 50_000), ("50000", 50_000), ("007", 7)])
def test_whole_paise_are_read(amount: Any, paise: int) -> None:
    assert read(amount=amount).amount_paise == paise


@pytest.mark.parametrize(
    "amount",
    [50_000.0, 500.5, -1, "-1", "+1", "500.00", "5e4", "", " 1", "1_000", "५००", "²", True, None, [], 10**18, "9" * 19],
)
def test_anything_else_is_not_money(amount: Any) -> None:
    with pytest.raises(shapes.Unreadable, match="paise"):
        read(amount=amount)


@pytest.mark.parametrize("number", ["1e309", "-1e309", "50000.0", "NaN", "Infinity", "5E4"])
def test_no_fraction_reaches_money_or_the_store(number: str) -> None:
    with pytest.raises(shapes.Unreadable, match="paise"):
        shapes.order_status(shapes.parsed(f'{{"state": "COMPLETED", "amount": {number}}}'.encode()), "RCH-1")
    stored = shapes.redacted(shapes.parsed(f'{{"fee": {number}}}'.encode()))
    assert json.dumps(stored, allow_nan=False) == f'{{"fee": "{number}"}}'


@pytest.mark.parametrize("state", [None, "", 1, ["COMPLETED"]])
def test_an_answer_without_a_state_is_not_read(state: Any) -> None:
    with pytest.raises(shapes.Unreadable, match="state"):
        read(state=state)


def test_an_answer_about_another_order_is_not_read() -> None:
    assert read(merchantOrderId="RCH-1").state == "PENDING"
    with pytest.raises(shapes.Unreadable, match="another order"):
        read(merchantOrderId="RCH-2")


def test_the_attempt_that_paid_is_told_and_a_stray_error_code_is_not() -> None:
    status = shapes.order_status(PAID, "RCH-1")
    assert (status.transaction_id, status.payment_mode, status.utr) == ("OM1", "UPI_QR", "455069731511")
    assert status.error_code == ""


@pytest.mark.parametrize("details", [None, {}, "x", [], [None], [[]], [{"rail": []}], [{"splitInstruments": {"a": 1}}]])
def test_attempts_of_any_shape_do_not_hide_the_state(details: Any) -> None:
    status = read(state="COMPLETED", paymentDetails=details)
    assert (status.state, status.utr, status.transaction_id) == ("COMPLETED", "", "")


def test_the_stored_answer_names_no_payer() -> None:
    stored = json.dumps(shapes.order_status(PAID, "RCH-1").body)
    for private in ("asha", "Asha", "1234"):
        assert private not in stored
    for kept in ("455069731511", "OM1", "UPI_QR", "COMPLETED", "OMO2611221031432439957851"):
        assert kept in stored


def test_an_address_anywhere_in_the_answer_is_redacted() -> None:
    assert shapes.redacted({"note": "paid by asha@ybl"}) == {"note": "[hidden]"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*PAID, "metaInfo", "errorContext"]) | st.text(), JSON))
def test_any_json_is_read_or_unreadable_and_what_is_kept_can_be_stored(body: dict[str, Any]) -> None:
    try:
        status = shapes.order_status(shapes.parsed(json.dumps(body).encode()), "RCH-1")
    except shapes.Unreadable:
        return
    assert type(status.amount_paise) is int and status.amount_paise >= 0
    stored = json.dumps(status.body, ensure_ascii=False, allow_nan=False).encode()
    assert b"\\u0000" not in stored


@given(st.binary())
def test_any_bytes_are_parsed_or_unreadable(content: bytes) -> None:
    try:
        shapes.parsed(content)
    except shapes.Unreadable:
        return


def test_what_is_nested_deeper_than_phonepe_ever_does_is_cut() -> None:
    deep: Any = "bottom"
    for _ in range(400):
        deep = {"d": [deep]}
    assert "bottom" not in json.dumps(shapes.redacted(deep))


def test_moments_are_milliseconds_and_an_odd_one_is_left_out() -> None:
    def at(value: Any) -> datetime | None:
        return shapes.payment({"redirectUrl": "https://a.b/", "expireAt": value}, ("a.b",)).expires_at

    assert at(1_795_344_600_123) == datetime(2026, 11, 22, 10, 50, 0, 123_000, UTC)
    assert at("1795344600123") == at(1_795_344_600_123)
    assert [at(odd) for odd in (None, "soon", -1, 10**17, 1.5)] == [None] * 5


@pytest.mark.parametrize(
    ("answer", "lifetime"),
    [
        ({"issued_at": 100, "expires_at": 3700, "expires_in": 60}, 3600),
        ({"issued_at": "100", "expires_at": "3700"}, 3600),
        ({"issued_at": 3700, "expires_at": 100, "expires_in": 60}, 60),
        ({"expires_at": 3700}, 0),
        ({}, 0),
    ],
)
def test_a_tokens_lifetime_is_a_difference_of_phonepes_own_times(answer: dict[str, Any], lifetime: int) -> None:
    assert shapes.token({"access_token": "t"} | answer) == ("t", lifetime)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": "BAD_REQUEST", "message": "Bad"}, ("BAD_REQUEST", "Bad")),
        ({"errorCode": "OIM000"}, ("OIM000", "")),
        ({"code": None, "message": ["x"]}, ("HTTP_400", "")),
        ({"code": "A\r\nB\x1b[31m", "message": "x" * 9_999}, ("AB[31m", "x" * 500)),
    ],
)
def test_a_refusal_is_one_printable_line(body: dict[str, Any], words: tuple[str, str]) -> None:
    assert shapes.refusal(400, body) == words
