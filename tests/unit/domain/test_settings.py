"""Settings: what is true without any, and what production refuses to start with."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from domain import settings as module
from domain.settings import Settings, SettingsError, settings

REAL: dict[str, Any] = {
    "env": "production",
    "public_url": "https://charge.example",
    "secret_key": "x" * 32,
    "phonepe_pg_url": "https://api.phonepe.com/apis/pg",
    "phonepe_oauth_url": "https://api.phonepe.com/apis/identity-manager",
    "phonepe_client_id": "M123",
    "phonepe_client_secret": "s3cret",
    "phonepe_webhook_password": "hook54321",
    "support_email": "care@charge.example",
    "support_whatsapp": "918012345678",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"EVAPP_{name.upper()}", raising=False)


def wrong(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        Settings(**changes).check()
    return error.value.args


def test_development_needs_nothing() -> None:
    Settings().check()


def test_production_with_everything_real_starts() -> None:
    Settings(**REAL).check()


def test_production_with_defaults_names_everything_to_mend() -> None:
    sentences = wrong(env="production")
    assert len(sentences) >= 6
    assert all(sentence.startswith("EVAPP_") and sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret_key": "short"}, "EVAPP_SECRET_KEY"),
        ({"public_url": "http://charge.example"}, "EVAPP_PUBLIC_URL"),
        ({"phonepe_pg_url": "http://localhost:9100"}, "EVAPP_PHONEPE_PG_URL"),
        ({"phonepe_pg_url": "https://api.phonepe.com.evil.example/"}, "EVAPP_PHONEPE_PG_URL"),
        ({"phonepe_oauth_url": "http://localhost:9100"}, "EVAPP_PHONEPE_OAUTH_URL"),
        ({"phonepe_pg_url": "https://api-preprod.phonepe.com/apis/pg-sandbox"}, "EVAPP_PHONEPE_PG_URL"),
        ({"phonepe_client_id": module.SANDBOX_CLIENT_ID}, "EVAPP_PHONEPE_CLIENT_ID"),
        ({"phonepe_client_secret": module.SANDBOX_CLIENT_SECRET}, "EVAPP_PHONEPE_CLIENT_SECRET"),
        ({"phonepe_webhook_password": module.SANDBOX_WEBHOOK_PASSWORD}, "EVAPP_PHONEPE_WEBHOOK_PASSWORD"),
        ({"recharge_max_paise": 100}, "EVAPP_RECHARGE_MAX_PAISE"),
        ({"session_cap_paise": 100}, "EVAPP_SESSION_CAP_PAISE"),
        ({"ocpp_tls_cert": "cert.pem"}, "EVAPP_OCPP_TLS_CERT"),
        ({"ocpp_tls_cert": "rsa.pem, ecdsa.pem", "ocpp_tls_key": "rsa.key"}, "EVAPP_OCPP_TLS_CERT"),
        ({"ocpp_tls_client_ca": "ca.pem"}, "EVAPP_OCPP_TLS_CLIENT_CA"),
        ({"phonepe_client_id": ""}, "EVAPP_PHONEPE_CLIENT_ID"),
        ({"phonepe_client_secret": ""}, "EVAPP_PHONEPE_CLIENT_SECRET"),
        ({"phonepe_webhook_username": " "}, "EVAPP_PHONEPE_WEBHOOK_USERNAME"),
        ({"phonepe_webhook_password": ""}, "EVAPP_PHONEPE_WEBHOOK_PASSWORD"),
        ({"seller_name": ""}, "EVAPP_SELLER_NAME"),
        ({"support_email": ""}, "EVAPP_SUPPORT_EMAIL"),
        ({"support_whatsapp": ""}, "EVAPP_SUPPORT_WHATSAPP"),
        ({"support_email": "help@evapp.example"}, "EVAPP_SUPPORT_EMAIL"),
        ({"support_whatsapp": "919845012345"}, "EVAPP_SUPPORT_WHATSAPP"),
        ({"seller_gstin": "29ABCDE1234F1ZW", "seller_state": "Karnataka"}, "EVAPP_SELLER_ADDRESS"),
        ({"seller_gstin": "29ABCDE1234F1ZW", "seller_address": "12 Residency Road"}, "EVAPP_SELLER_STATE"),
        ({"seller_gstin": "29ABCDE1234F1ZW", "seller_state": "Kerala"}, "EVAPP_SELLER_STATE"),
        ({"seller_gstin": "abc"}, "EVAPP_SELLER_GSTIN"),
        ({"seller_gstin": "99ABCDE1234F1Z5"}, "EVAPP_SELLER_GSTIN"),
        ({"seller_state": "Nowhere"}, "EVAPP_SELLER_STATE"),
        ({"ocpp_embedded": False}, "EVAPP_OCPP_EMBEDDED"),
    ],
)
def test_production_refuses_what_loses_money_or_opens_the_house(change: dict[str, Any], named: str) -> None:
    assert any(named in sentence for sentence in wrong(**{**REAL, **change}))


@pytest.mark.row("R36")
def test_a_real_host_and_a_sandbox_never_mix() -> None:
    """R36; every mixture: tests/money/test_hosts.py."""
    assert any("mix a real host" in sentence for sentence in wrong(phonepe_oauth_url=REAL["phonepe_oauth_url"]))


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVAPP_PORT", "3100")
    monkeypatch.setenv("EVAPP_START_MIN_PAISE", "7000")
    assert Settings().url == "http://localhost:3100"
    assert Settings().start_min_paise == 7_000


@pytest.mark.parametrize(("name", "value"), [("PORT", "many"), ("PIN_LENGTH", "3"), ("ENV", "staging")])
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"EVAPP_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_secrets_do_not_show() -> None:
    shown = repr(Settings(**REAL))
    assert not any(REAL[name] in shown for name in ("secret_key", "phonepe_client_secret", "phonepe_webhook_password"))


@pytest.mark.parametrize(
    ("url", "secure", "origin"),
    [
        ("", False, "http://localhost:3000"),
        ("https://charge.example/", True, "https://charge.example"),
        ("http://10.0.0.7:3000", False, "http://10.0.0.7:3000"),
        ("HTTPS://Charge.Example", True, "https://charge.example"),
        ("https://charge.example:443/", True, "https://charge.example"),
        ("http://charge.example:80", False, "http://charge.example"),
        ("https://charge.example:8443", True, "https://charge.example:8443"),
        ("https://[2001:db8::443]", True, "https://[2001:db8::443]"),
    ],
)
def test_the_address_drivers_open(url: str, secure: bool, origin: str) -> None:
    given = Settings(public_url=url)
    assert (given.secure, given.url) == (secure, origin)


def test_unknown_chargers_by_default_only_in_development() -> None:
    assert Settings().accept_unknown
    assert not Settings(env="production").accept_unknown
    assert Settings(env="production", ocpp_accept_unknown=True).accept_unknown
    assert not Settings(ocpp_accept_unknown=False).accept_unknown


def test_walk_ups_by_default_only_in_development_and_whichever_chargers_may_connect() -> None:
    assert Settings().walk_ups
    assert not Settings(env="production").walk_ups
    assert not Settings(env="production", ocpp_accept_unknown=True).walk_ups
    assert Settings(env="production", ocpp_walk_ups=True).walk_ups
    assert not Settings(ocpp_walk_ups=False).walk_ups


def test_where_a_driver_may_be_sent_to_pay() -> None:
    assert Settings().checkout_hosts == ("*.phonepe.com", "localhost")
    assert Settings(env="production").checkout_hosts == ("*.phonepe.com",)
    assert Settings(phonepe_checkout_hosts="a.example, b.example,").checkout_hosts == ("a.example", "b.example")


def test_by_which_push_services_drivers_are_told() -> None:
    usual = ("fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com")
    assert Settings().push_hosts == Settings(push_services=" , ").push_hosts == usual
    assert Settings(push_services="Push.example, *.b.example,").push_hosts == ("push.example", "*.b.example")
    assert Settings(push_services=" None ").push_hosts == ()


def test_the_development_secret_is_made_once_and_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "var_dir", str(tmp_path / "var"))
    with ThreadPoolExecutor(8) as threads:
        made = {future.result() for future in [threads.submit(Settings().secret) for _ in range(8)]}
    [secret] = made
    assert len(secret) >= 32
    path = tmp_path / "var" / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_given_secret_is_taken() -> None:
    assert Settings(secret_key="y" * 40).secret() == b"y" * 40


def test_every_setting_says_what_it_does() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"redis_url": "redis://cache.internal:6379/0"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "redis://evapp@10.0.0.7:6379/0"}, "EVAPP_REDIS_URL"),
        ({"public_url": "https://charge.example/app"}, "EVAPP_PUBLIC_URL"),
        ({"public_url": "https://user@charge.example"}, "EVAPP_PUBLIC_URL"),
        ({"public_url": "https://charge.example?x=1"}, "EVAPP_PUBLIC_URL"),
    ],
)
def test_production_refuses_doors_without_a_lock(change: dict[str, Any], named: str) -> None:
    assert any(named in sentence for sentence in wrong(**{**REAL, **change}))


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "redis://127.0.0.1/0",
        "redis://[::1]:6379/0",
        "unix:///run/redis.sock",
        "redis://:a-password@cache.internal:6379/0",
        "rediss://evapp:a-password@cache.internal:6379/0",
    ],
)
def test_redis_on_this_machine_or_behind_a_password_is_fine(url: str) -> None:
    Settings(**REAL, redis_url=url).check()


@pytest.mark.parametrize(
    ("url", "doubted"),
    [
        ("postgresql+psycopg://evapp:x@db.internal/evapp", True),
        ("postgresql+psycopg://evapp:x@db.internal/evapp?sslmode=prefer", True),
        ("postgresql+psycopg://evapp:x@db.internal/evapp?sslmode=require", False),
        ("postgresql+psycopg://evapp:x@db.internal/evapp?sslmode=verify-full", False),
        ("postgresql+psycopg://evapp:x@localhost/evapp", False),
        ("postgresql+psycopg://evapp@/evapp?host=/run/postgresql", False),
        ("postgresql+psycopg:///evapp", False),
        ("", False),
    ],
)
def test_postgresql_elsewhere_without_tls_is_said_at_the_start(url: str, doubted: bool) -> None:
    """Said and not refused: between two containers of one machine it is fine, and from here they look the same."""
    chosen = Settings(**REAL, database_url=url)
    chosen.check()
    assert [sentence.split()[0] for sentence in chosen.doubts()] == ["EVAPP_DATABASE_URL"] * doubted
    assert "x@" not in "".join(chosen.doubts())


@pytest.mark.parametrize("address", ["collector:4318", "grpc://collector:4317"])
def test_a_collector_is_reached_over_http(address: str) -> None:
    Settings(otlp_endpoint="http://collector:4318").check()
    (sentence,) = wrong(otlp_endpoint=address)
    assert sentence.startswith("EVAPP_OTLP_ENDPOINT")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"port": 99_999}, "EVAPP_PORT"),
        ({"ocpp_port": 99_999}, "EVAPP_OCPP_PORT"),
        ({"metrics_port": -1}, "EVAPP_METRICS_PORT"),
        ({"database_url": "nonsense"}, "EVAPP_DATABASE_URL"),
        ({"database_url": "postgresql://evapp@db/evapp"}, "EVAPP_DATABASE_URL"),
        ({"database_url": "mysql://evapp@db/evapp"}, "EVAPP_DATABASE_URL"),
        ({"database_url": "postgresql+psycopg://evapp@db:many/evapp"}, "EVAPP_DATABASE_URL"),
        ({"redis_url": "nonsense"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "redis://127.0.0.1:many/0"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "redis://127.0.0.1:6379/evapp"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "rediss://127.0.0.1:6379/-1"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "redis://127.0.0.1:6379/0/1"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "redis://127.0.0.1:6379?db=evapp"}, "EVAPP_REDIS_URL"),
        ({"redis_url": "unix:///run/redis.sock?db=evapp"}, "EVAPP_REDIS_URL"),
        ({"public_url": "charge.example"}, "EVAPP_PUBLIC_URL"),
        ({"public_url": "https://[charge.example"}, "EVAPP_PUBLIC_URL"),
        ({"public_url": "https://charge.example:99999"}, "EVAPP_PUBLIC_URL"),
        ({"push_services": "https://fcm.googleapis.com"}, "EVAPP_PUSH_SERVICES"),
        ({"push_services": "fcm.googleapis.com, *"}, "EVAPP_PUSH_SERVICES"),
        ({"push_services": "none, fcm.googleapis.com:443"}, "EVAPP_PUSH_SERVICES"),
    ],
)
def test_what_cannot_work_is_refused_everywhere(change: dict[str, Any], named: str) -> None:
    sentence, *_ = wrong(**change)
    assert sentence.startswith(named)
    assert sentence.endswith(".")


def test_a_seller_as_receipts_need_one_is_fine() -> None:
    address = "12 Residency Road"
    Settings(**REAL, seller_state="karnataka ", seller_gstin="29ABCDE1234F1ZW", seller_address=address).check()


def test_a_csms_of_its_own_is_reached_through_redis() -> None:
    Settings(**REAL, ocpp_embedded=False, redis_url="redis://localhost:6379/0").check()
    Settings(ocpp_embedded=False).check()


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://h/", "redis://h:6379/15", "redis://h?db=2", "unix:///r.sock?db=2"]
)
def test_a_database_of_redis_is_a_number(url: str) -> None:
    Settings(redis_url=url).check()


def test_a_port_that_cannot_be_is_the_only_thing_wrong_with_it() -> None:
    assert wrong(port=70_000) == ("EVAPP_PORT is a port: 65535 at most.",)
    assert wrong(port=-1) == ("EVAPP_PORT is a port: 65535 at most.",)
