"""Browsers that may be written to while evapp is closed, what they are told once, and when nothing more."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import accounts, push, sign_ins
from domain.accounts import Registration
from domain.models import Push, PushSubscription, User, now
from domain.settings import settings
from domain.sign_ins import ABSOLUTE, KEPT, Browser, hash_token
from tests.receivers import Receiver, text_of

NAMES = iter(range(10_000))


@pytest.fixture
def asha(db: Session) -> User:
    return accounts.register(db, Registration("asha", "+919845012345", "", ""), "kept")


def signed_in(db: Session, user: User, token: str = "phone", before: str = "") -> int:
    browser = Browser(hash_token(token), "Chrome", "203.0.113.7", hash_token(before) if before else "")
    return sign_ins.start(db, user, browser).id or 0


def subscribed(db: Session, user: User, token: str = "phone") -> tuple[int, Receiver]:
    """A browser of this user that is told; gives its sign-in, too."""
    receiver, sign_in_id = Receiver(), signed_in(db, user, token)
    push.subscribe(db, sign_in_id, user.id or 0, *receiver.told)
    return sign_in_id, receiver


def subscriptions(db: Session) -> list[tuple[int, str]]:
    db.expire_all()
    found = db.exec(select(PushSubscription).order_by(PushSubscription.id))  # type: ignore[arg-type]
    return [(row.sign_in_id, row.endpoint) for row in found]


def told(db: Session) -> list[tuple[int, str, str]]:
    db.expire_all()
    return sorted((row.subscription_id, row.kind, row.ref) for row in db.exec(select(Push)))


def test_a_sign_in_has_one_browser_which_keeps_what_it_was_told(db: Session, asha: User) -> None:
    """Browsers renew their addresses by themselves."""
    sign_in_id, receiver = subscribed(db, asha)
    push.tell(db, asha.id, push.ENDED, "R1")
    assert subscriptions(db) == [(sign_in_id, receiver.endpoint)]
    before = told(db)
    renewed = Receiver()
    push.subscribe(db, sign_in_id, asha.id or 0, *renewed.told)
    assert subscriptions(db) == [(sign_in_id, renewed.endpoint)]
    assert told(db) == before
    assert len(before) == 1


def test_a_browser_that_is_known_goes_to_whoever_signs_in_there(db: Session, asha: User) -> None:
    """What its last owner was to be told is his alone."""
    _, receiver = subscribed(db, asha)
    push.tell(db, asha.id, push.ENDED, "R1")
    ravi = accounts.register(db, Registration("ravi", "+919845012346", "", ""), "kept")
    his = signed_in(db, ravi, "his")
    push.subscribe(db, his, ravi.id or 0, *receiver.told)
    assert subscriptions(db) == [(his, receiver.endpoint)]
    assert told(db) == []
    push.tell(db, asha.id, push.ENDED, "R2")
    assert told(db) == []


def test_the_latest_browsers_of_a_driver_are_told(db: Session, asha: User) -> None:
    """Signing in costs nothing, and whoever has a thousand browsers would write a thousand rows with each bill."""
    ravi = accounts.register(db, Registration("ravi", "+919845012346", "", ""), "kept")
    subscribed(db, ravi, "his")
    endpoints = [subscribed(db, asha, f"phone {n}")[1].endpoint for n in range(push.MOST + 2)]
    push.tell(db, asha.id, push.ENDED, "R1")
    assert len(told(db)) == push.MOST
    assert [endpoint for _, endpoint in subscriptions(db)][1:] == endpoints[2:]


def test_a_browser_that_is_signed_in_until_it_is_closed_is_told_nothing_after(db: Session, asha: User) -> None:
    """It may be anybody's: who left out "keep me signed in" and closed it has signed out, as the page says."""
    sign_in = sign_ins.start(db, asha, Browser(hash_token("lent"), "Chrome", "203.0.113.7", kept=False))
    with pytest.raises(push.Refused, match="until this browser is closed"):
        push.subscribe(db, sign_in.id, asha.id, *Receiver().told)
    push.tell(db, asha.id, push.ENDED, "R1")
    assert (subscriptions(db), told(db)) == ([], [])


def test_who_wants_no_more_is_told_no_more(db: Session, asha: User) -> None:
    sign_in_id, _ = subscribed(db, asha)
    push.tell(db, asha.id, push.ENDED, "R1")
    push.unsubscribe(db, sign_in_id)
    push.unsubscribe(db, sign_in_id)
    assert (subscriptions(db), told(db)) == ([], [])


ENDPOINTS = [
    "https://fcm.googleapis.com/fcm/send/abc:def",
    "https://fcm.googleapis.com:443/wp/abc",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA=",
    "https://web.push.apple.com/QGw",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2b",
]
STRANGERS = [
    "",
    "fcm.googleapis.com/fcm/send/abc",
    "http://fcm.googleapis.com/fcm/send/abc",
    "ftp://fcm.googleapis.com/fcm/send/abc",
    "https://fcm.googleapis.com",
    "https://FCM.googleapis.com/abc",
    "https://fcm.googleapis.com./abc",
    "https://fcm.googleapis.com:8443/abc",
    "https://fcm.googleapis.com:443443/abc",
    "https://fcm.googleapis.com:/abc",
    "https://user@fcm.googleapis.com/abc",
    "https://evil.example:x@fcm.googleapis.com/abc",
    "https://fcm.googleapis.com@evil.example/abc",
    "https://evil.example/fcm.googleapis.com/abc",
    "https://evil.example#fcm.googleapis.com/abc",
    "https://evil.example\\@fcm.googleapis.com/abc",
    "https://fcm.googleapis.com\\.evil.example/abc",
    "https://fcm.googleapis.com.evil.example/abc",
    "https://evilfcm.googleapis.com/abc",
    "https://x.fcm.googleapis.com/abc",
    "https://push.apple.com/abc",
    "https://evilpush.apple.com/abc",
    "https://push.services.mozilla.com.evil.example/abc",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/abc",
    "https://[::1]/abc",
    "https://localhost/abc",
    "http://localhost:9100/abc",
    "https://xn--fcm.googleapis.com/abc",
    "https://xn--.push.apple.com/abc",
    "https://a.xn--9.push.apple.com/abc",
    "https://.push.apple.com/abc",
    "https://a..push.apple.com/abc",
    "https://fcm。googleapis.com/abc",
    "https://fcm.googleapis.com/a b",
    "https://fcm.googleapis.com/a\r\nHost: evil.example",
    "https://fcm.googleapis.com/a\n",
    "https://fcm.googleapis.com/\x00",
    "https://fcm.googleapis.com/नमस्ते",
    " https://fcm.googleapis.com/abc",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_push_services_of_browsers_are_written_to(endpoint: str) -> None:
    assert push.is_endpoint(endpoint)


@pytest.mark.parametrize("endpoint", [*STRANGERS, ENDPOINTS[0] + "x" * 1_000])
def test_nothing_else_is(db: Session, asha: User, endpoint: str) -> None:
    """The address comes from a browser, and it is us who call it: from inside our network."""
    _, p256dh, auth = Receiver().told
    with pytest.raises(push.Refused, match="You are told while evapp is open"):
        push.subscribe(db, signed_in(db, asha), asha.id or 0, endpoint, p256dh, auth)
    assert subscriptions(db) == []


@pytest.mark.parametrize(
    ("env", "endpoint", "written_to"),
    [
        ("development", "http://localhost:9100/push/7", True),
        ("development", "http://127.0.0.1:40001/push/7", True),
        ("development", "http://push.example/7", False),
        ("development", "https://push.example:9443/7", False),
        ("development", "https://push.example/7", True),
        ("production", "http://localhost:9100/push/7", False),
        ("production", "http://127.0.0.1:40001/push/7", False),
        ("production", "https://push.example/7", True),
    ],
)
def test_a_service_on_this_machine_is_for_developing(
    monkeypatch: pytest.MonkeyPatch, env: str, endpoint: str, written_to: bool
) -> None:
    monkeypatch.setattr(settings(), "env", env)
    monkeypatch.setattr(settings(), "push_services", "localhost, 127.0.0.1, push.example")
    assert push.is_endpoint(endpoint) is written_to
    assert not push.is_endpoint(ENDPOINTS[0])


def test_without_services_nobody_is_told(db: Session, asha: User, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribed(db, asha)
    monkeypatch.setattr(settings(), "push_services", "none")
    push.tell(db, asha.id, push.ENDED, "R1")
    assert told(db) == []
    with pytest.raises(push.Refused):
        push.subscribe(db, signed_in(db, asha, "tablet"), asha.id or 0, *Receiver().told)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", None),
        (text_of(b"\x04" + b"\x01" * 64), None),
        (text_of(b"\x02" + b"\x01" * 64), None),
        (text_of(b"\x04" + b"\x00" * 64), None),
        (text_of(bytes(65)), None),
        ("A" * 86, None),
        ("A" * 88, None),
        ("+" + "A" * 86, None),
        ("A" * 86 + "\n", None),
        (None, ""),
        (None, text_of(bytes(15))),
        (None, text_of(bytes(17))),
        (None, "A" * 21 + "="),
        (None, "A" * 22 + "\n"),
        (None, "é" * 22),
    ],
)
def test_what_are_no_keys_is_refused(db: Session, asha: User, p256dh: str | None, auth: str | None) -> None:
    """A point that lies beside the curve would give our half of the secret away."""
    endpoint, its_key, its_secret = Receiver().told
    keys = (its_key if p256dh is None else p256dh, its_secret if auth is None else auth)
    with pytest.raises(push.Refused):
        push.subscribe(db, signed_in(db, asha), asha.id or 0, endpoint, *keys)


def test_padding_of_keys_makes_no_difference(db: Session, asha: User) -> None:
    endpoint, p256dh, auth = Receiver().told
    push.subscribe(db, signed_in(db, asha), asha.id or 0, endpoint, f"{p256dh}=", f"{auth}==")
    row = db.exec(select(PushSubscription)).one()
    assert (push.decoded(row.p256dh), push.decoded(row.auth)) == (push.decoded(p256dh), push.decoded(auth))


def test_every_browser_of_a_driver_is_told_once(db: Session, asha: User) -> None:
    subscribed(db, asha)
    subscribed(db, asha, "tablet")
    ravi = accounts.register(db, Registration("ravi", "+919845012346", "", ""), "kept")
    for _ in range(2):
        push.tell(db, asha.id, push.ENDED, "R1")
        push.tell(db, ravi.id, push.ENDED, "R2")
        push.tell(db, None, push.ENDED, "R3")
    assert [(kind, ref) for _, kind, ref in told(db)] == [("ended", "R1")] * 2


def test_what_was_not_so_can_be_told_when_it_is(db: Session, asha: User) -> None:
    subscribed(db, asha)
    ravi = accounts.register(db, Registration("ravi", "+919845012346", "", ""), "kept")
    push.tell(db, asha.id, push.ENDED, "R1")
    push.tell(db, asha.id, push.LOW, "R1")
    for user_id in (ravi.id, None):
        push.take_back(db, user_id, push.ENDED, "R1")
    assert len(told(db)) == 2
    push.take_back(db, asha.id, push.ENDED, "R1")
    assert [(kind, ref) for _, kind, ref in told(db)] == [("low", "R1")]
    push.tell(db, asha.id, push.ENDED, "R1")
    assert len(told(db)) == 2


ENDS = {
    "signed out": lambda db, user_id, sign_in_id: sign_ins.sign_out(db, hash_token("phone")),
    "revoked": lambda db, user_id, sign_in_id: sign_ins.revoke(db, user_id, sign_in_id),
    "all others": lambda db, user_id, sign_in_id: sign_ins.revoke_others(db, user_id, hash_token("another")),
    "blocked": lambda db, user_id, sign_in_id: accounts.block(db, user_id),
    "another PIN": lambda db, user_id, sign_in_id: accounts.reset_pin(db, user_id, "another"),
    "signed in anew": lambda db, user_id, sign_in_id: signed_in(db, db.get_one(User, user_id), "new", "phone"),
    "forgotten": lambda db, user_id, sign_in_id: sign_ins.forget(db, now() + ABSOLUTE + KEPT + timedelta(days=1)),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_sign_in_that_ends_takes_its_browser_with_it(db: Session, asha: User, end: str) -> None:
    sign_in_id, _ = subscribed(db, asha)
    push.tell(db, asha.id, push.ENDED, "R1")
    assert len(subscriptions(db)) == len(told(db)) == 1
    ENDS[end](db, asha.id, sign_in_id)
    db.flush()
    assert (subscriptions(db), told(db)) == ([], [])
