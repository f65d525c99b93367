"""Whose money the settings move: real credentials, real hosts and real paths go together or not at all (R36)."""

from typing import Any

import pytest
from pydantic import SecretStr

from domain.settings import Settings, SettingsError

REAL = {
    "phonepe_pg_url": "https://api.phonepe.com/apis/pg",
    "phonepe_oauth_url": "https://api.phonepe.com/apis/identity-manager",
    "phonepe_client_id": "SU2511",
    "phonepe_client_secret": SecretStr("s3cr3t-of-ours"),
    "phonepe_webhook_password": SecretStr("dashboard1"),
}
PRODUCTION = REAL | {
    "env": "production",
    "public_url": "https://app.example",
    "secret_key": SecretStr("k" * 32),
    "support_email": "care@app.example",
    "support_whatsapp": "918012345678",
}
UAT = "https://api-preprod.phonepe.com/apis/pg-sandbox"
TEST = REAL | {"phonepe_pg_url": UAT, "phonepe_oauth_url": UAT}
DESK = "http://localhost:9100"


DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


def refusals(given: dict[str, Any]) -> list[str]:
    """What the start says to these settings, whatever the environment holds."""
    try:
        Settings.model_construct(**DEFAULTS | given).check()
    except SettingsError as error:
        return list(error.args)
    return []


@pytest.mark.parametrize(
    "given",
    [
        {},
        REAL,
        TEST,
        PRODUCTION,
        PRODUCTION | {"phonepe_pg_url": "https://api.phonepe.com/apis/pg/"},
        {"phonepe_client_id": "OURS", "phonepe_client_secret": SecretStr("ours")},
        {"phonepe_pg_url": f"{DESK}/apis/pg", "phonepe_oauth_url": f"{DESK}/apis/identity-manager"},
    ],
)
def test_what_belongs_together_is_taken(given: dict[str, Any]) -> None:
    assert refusals(given) == []


@pytest.mark.row("R36")
@pytest.mark.parametrize(
    ("given", "about"),
    [
        (PRODUCTION | {"phonepe_pg_url": UAT}, "mix a real host"),
        (PRODUCTION | {"phonepe_oauth_url": UAT}, "mix a real host"),
        (PRODUCTION | {"phonepe_pg_url": UAT, "phonepe_oauth_url": UAT}, "is PhonePe's sandbox"),
        (PRODUCTION | {"phonepe_pg_url": DESK}, "PG_URL points at a simulator"),
        (PRODUCTION | {"phonepe_oauth_url": DESK}, "OAUTH_URL points at a simulator"),
        (PRODUCTION | {"phonepe_pg_url": "https://api.phonepe.com.evil.example/apis/pg"}, "points at a simulator"),
        (PRODUCTION | {"phonepe_pg_url": "https://evilphonepe.com/apis/pg"}, "points at a simulator"),
        (PRODUCTION | {"phonepe_oauth_url": REAL["phonepe_pg_url"]}, "/apis/identity-manager"),
        (PRODUCTION | {"phonepe_pg_url": "https://api.phonepe.com/apis/pg-sandbox"}, "/apis/identity-manager"),
        (PRODUCTION | {"phonepe_pg_url": "http://api.phonepe.com/apis/pg"}, "https addresses"),
        (PRODUCTION | {"phonepe_client_id": "EVAPP-SANDBOX"}, "CLIENT_ID"),
        (PRODUCTION | {"phonepe_client_secret": SecretStr("sandbox-secret")}, "CLIENT_SECRET"),
        (PRODUCTION | {"phonepe_webhook_password": SecretStr("hook12345")}, "WEBHOOK_PASSWORD"),
        (PRODUCTION | {"phonepe_checkout_hosts": "*.phonepe.com, localhost"}, "CHECKOUT_HOSTS"),
        (PRODUCTION | {"phonepe_checkout_hosts": "evilphonepe.com"}, "CHECKOUT_HOSTS"),
        (REAL | {"phonepe_oauth_url": DESK}, "mix a real host"),
        (REAL | {"phonepe_oauth_url": UAT}, "mix a real host"),
        (TEST | {"phonepe_oauth_url": DESK}, "mix a real host"),
        (TEST | {"phonepe_pg_url": UAT.replace("https", "http")}, "https addresses"),
        (TEST | {"phonepe_client_id": "EVAPP-SANDBOX"}, "CLIENT_ID"),
        (REAL | {"phonepe_client_secret": SecretStr("sandbox-secret")}, "CLIENT_SECRET"),
        (REAL | {"phonepe_webhook_password": SecretStr("hook12345")}, "WEBHOOK_PASSWORD"),
    ],
)
def test_what_is_mixed_up_is_refused_with_a_sentence(given: dict[str, Any], about: str) -> None:
    """R36: the app does not start, so nobody begins a recharge; the log says what to mend."""
    assert [sentence for sentence in refusals(given) if about in sentence]
    assert not any(
        secret in sentence for sentence in refusals(given) for secret in ("s3cr3t-of-ours", "k" * 32, "dashboard1")
    )
