"""Every EVAPP_ variable, documented where it is declared, and what production refuses to start with."""

import contextlib
import os
import re
import secrets
import tempfile
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.gst import is_gstin, is_of_state, is_state
from domain.urls import driver, is_here, is_numbered, parts_of

SANDBOX_CLIENT_ID = "EVAPP-SANDBOX"
SANDBOX_CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - the desk sandbox's own, refused in production
SANDBOX_WEBHOOK_PASSWORD = "hook12345"  # noqa: S105 - likewise
SIMULATOR_URL = "http://localhost:9100"
REAL_HOST, TEST_HOST, SIMULATED = "api.phonepe.com", "api-preprod.phonepe.com", ""
REAL_PATHS = ("/apis/pg", "/apis/identity-manager")
"""PhonePe's hosts, and the paths of its real one: changing the host is not enough (payments.md 1.1)."""
USUAL_PORT = {"http": ":80", "https": ":443"}
"""Browsers leave it out of the origin that they name."""
PORTS = ("port", "ocpp_port", "metrics_port")
MOST_PORT = 65_535
DATABASES = ("sqlite", "postgresql+psycopg")
REDIS = ("redis", "rediss", "unix")
NEEDED = ("seller_name", "support_email", "support_whatsapp", "phonepe_webhook_username")
"""What drivers or PhonePe are told: production starts with none of them empty."""
HELP_EMAIL, HELP_WHATSAPP = "help@evapp.example", "919845012345"  # a stranger's, refused in production
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
"""Hosts of the push services of Google's, Mozilla's, Apple's and Microsoft's browsers."""
HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*")
"""One host, or all below one."""
ENCRYPTED = ("require", "verify-ca", "verify-full")
"""Values of libpq's sslmode that speak nothing in the clear."""


class SettingsError(Exception):
    """The settings contradict each other or are unsafe; each argument is one sentence for the operator."""


class Settings(BaseSettings):
    """What an operator may set; all optional in development."""

    model_config = SettingsConfigDict(env_prefix="EVAPP_", extra="ignore")

    env: Literal["development", "production"] = Field(
        "development", description="`production` refuses unknown chargers and cards, default secrets and simulators."
    )
    public_url: str = Field("", description="The address drivers open; default http://localhost:<EVAPP_PORT>.")
    database_url: str = Field("", description="Default sqlite:///var/evapp.db; or postgresql+psycopg://user@host/db.")
    var_dir: str = Field("var", description="Folder for what one machine keeps: database, secret key, sockets.")
    redis_url: str = Field("", description="Redis, when there is more than one process; empty means one process.")
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Pepper of PINs and of chargers' keys, and key of signed cookies. Created once in var/secret_key "
        "in development. Losing it ends every PIN, and keeps chargers that have a key out.",
    )
    port: int = Field(3000, description="Port of the web app.")
    ocpp_host: str = Field("0.0.0.0", description="Address the OCPP port listens on.")
    ocpp_port: int = Field(9000, description="Port chargers connect to.")
    ocpp_embedded: bool = Field(True, description="Run the CSMS inside the web process.")
    ocpp_proxies: str = Field(
        "",
        description="Addresses or networks of proxies, comma separated, whose X-Forwarded-For is believed, by the OCPP "
        "port and by the web app; this machine's own always is.",
    )
    ocpp_accept_unknown: bool | None = Field(
        None, description="Store unknown chargers when they connect; default: yes in development, no in production."
    )
    ocpp_walk_ups: bool | None = Field(
        None,
        description="Let cards that nobody has added charge; nobody pays for it. "
        "Default: yes in development, no in production.",
    )
    ocpp_mend_upgrade: bool = Field(
        False, description="Let chargers in whose handshake lacks `Connection: Upgrade` (some Autel MaxiCharger do)."
    )
    ocpp_tls_cert: str = Field("", description="PEM file of the certificate for wss; or two: one RSA, one ECDSA.")
    ocpp_tls_key: str = Field("", description="PEM file of its key; of two certificates, in the same order.")
    ocpp_tls_client_ca: str = Field(
        "",
        description="PEM file of the CA whose client certificates are demanded. Each lets in one charger: its common "
        "name, or a DNS name of it, is the charger's identity, or the serial number that it told when it booted.",
    )
    phonepe_pg_url: str = Field(SIMULATOR_URL, description="PhonePe's PG base URL; default: the desk sandbox.")
    phonepe_oauth_url: str = Field(SIMULATOR_URL, description="PhonePe's OAuth base URL; another path in production.")
    phonepe_client_id: str = Field(SANDBOX_CLIENT_ID, description="PhonePe client id.")
    phonepe_client_secret: SecretStr = Field(SecretStr(SANDBOX_CLIENT_SECRET), description="PhonePe client secret.")
    phonepe_client_version: int = Field(1, description="PhonePe client version, as PhonePe mails it.")
    phonepe_webhook_username: str = Field("evapp_hook", description="User name set on PhonePe's dashboard.")
    phonepe_webhook_password: SecretStr = Field(
        SecretStr(SANDBOX_WEBHOOK_PASSWORD), description="Password set on PhonePe's dashboard."
    )
    phonepe_checkout_hosts: str = Field(
        "", description="Hosts a pay page may have, comma separated; default: *.phonepe.com and the sandbox's host."
    )
    push_services: str = Field(
        "",
        description="Hosts of browsers' push services, comma separated, by which drivers are told while evapp is "
        "closed; `none`: they are not. Default: those of Google, Mozilla, Apple and Microsoft.",
    )
    recharge_min_paise: int = Field(50_000, description="The least a recharge may be, in paise.", ge=100)
    recharge_max_paise: int = Field(1_000_000, description="The most a recharge may be, in paise.")
    start_min_paise: int = Field(5_000, description="Free balance needed to start a charge, in paise.", ge=100)
    session_cap_paise: int = Field(200_000, description="The most one charge may hold, in paise.")
    pin_length: int = Field(6, description="Digits of a PIN.", ge=4, le=12)
    journal_days: int = Field(30, description="Days that journalled OCPP messages are kept.", ge=1, le=3650)
    metrics_port: int = Field(0, description="Port of /metrics; 0 means none.")
    metrics_host: str = Field(
        "",
        description="Address /metrics listens on; default 127.0.0.1. It asks nobody for a password: another one only "
        "in a network that is yours alone.",
    )
    otlp_endpoint: str = Field(
        "",
        description="OpenTelemetry collector for traces, such as http://collector:4318; empty means no traces. "
        "Needs the packages of requirements-otel.txt.",
    )
    support_email: str = Field(HELP_EMAIL, description="Where Help writes to.")
    support_whatsapp: str = Field(HELP_WHATSAPP, description="WhatsApp number of Help, digits with country code.")
    tariff_paise_per_kwh: int = Field(1_800, description="Default tariff, GST included, in paise per kWh.", ge=0)
    seller_name: str = Field("evapp Charging", description="Seller on receipts.")
    seller_address: str = Field("", description="Seller's address on receipts.")
    seller_state: str = Field("", description="Seller's state, for place of supply.")
    seller_gstin: str = Field("", description="Seller's GSTIN; empty means a bill of supply without GST lines.")
    gst_basis_points: int = Field(1_800, description="GST in basis points; used only when a GSTIN is set.", ge=0)

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def url(self) -> str:
        """The public origin as browsers write it: in small letters, without a trailing slash or the usual port."""
        given = parts_of((self.public_url or f"http://localhost:{self.port}").rstrip("/"))
        return given._replace(netloc=given.netloc.lower().removesuffix(USUAL_PORT.get(given.scheme, ""))).geturl()

    @property
    def secure(self) -> bool:
        """Whether drivers come over https: decides `Secure` and `__Host-` cookies and HSTS."""
        return self.url.startswith("https://")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{var_dir() / 'evapp.db'}"

    @property
    def accept_unknown(self) -> bool:
        return not self.production if self.ocpp_accept_unknown is None else self.ocpp_accept_unknown

    @property
    def walk_ups(self) -> bool:
        return not self.production if self.ocpp_walk_ups is None else self.ocpp_walk_ups

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may say for whom he asks, at the OCPP port and at the web app's."""
        return tuple(ip_network(one.strip()) for one in self.ocpp_proxies.split(",") if one.strip())

    @property
    def checkout_hosts(self) -> tuple[str, ...]:
        """Hosts, without port, to which a driver may be sent to pay."""
        if self.phonepe_checkout_hosts:
            return tuple(h.strip() for h in self.phonepe_checkout_hosts.split(",") if h.strip())
        return ("*.phonepe.com", *(() if self.production else (urlsplit(self.phonepe_pg_url).hostname or "localhost",)))

    @property
    def push_hosts(self) -> tuple[str, ...]:
        """Hosts, without port, to which notices may be sent; none of them: nobody is told while evapp is closed."""
        given = tuple(h.strip().lower() for h in self.push_services.split(",") if h.strip())
        return () if given == ("none",) else given or PUSH_SERVICES

    def secret(self) -> bytes:
        """The key that peppers PINs and signs cookies, and from which that of notices is derived."""
        given = self.secret_key.get_secret_value()
        return given.encode() if given else _development_secret()

    def check(self) -> None:
        """Refuse settings that would lose money or let anybody in.

        Raises:
            SettingsError: with one sentence for each thing to mend (security.md, rule 10).
        """
        wrong = [sentence for broken, sentence in self._rules() if broken]
        if wrong:
            raise SettingsError(*wrong)

    def doubts(self) -> list[str]:
        """What is unsafe in some places and right in others: said at the start, and not refused."""
        url = urlsplit(self.database_url)
        options = dict(parse_qsl(url.query))
        here = is_here(options.get("host") or url.hostname)
        if not self.production or here or options.get("sslmode") in ENCRYPTED:
            return []
        return [
            "EVAPP_DATABASE_URL reaches a PostgreSQL on another host without sslmode=require or verify-full: "
            "right only on a network that is yours alone."
        ]

    def _rules(self) -> tuple[tuple[bool, str], ...]:
        prod = self.production
        return (
            *self._payment_rules(),
            *self._address_rules(),
            *self._seller_rules(),
            (
                prod and len(self.secret_key.get_secret_value()) < 32,
                "EVAPP_SECRET_KEY must be set to at least 32 characters in production.",
            ),
            (
                self.recharge_max_paise < self.recharge_min_paise,
                "EVAPP_RECHARGE_MAX_PAISE is less than EVAPP_RECHARGE_MIN_PAISE.",
            ),
            (
                self.session_cap_paise < self.start_min_paise,
                "EVAPP_SESSION_CAP_PAISE is less than EVAPP_START_MIN_PAISE.",
            ),
            (
                tuple(map(bool, self.ocpp_tls_cert.split(","))) != tuple(map(bool, self.ocpp_tls_key.split(","))),
                "EVAPP_OCPP_TLS_CERT and EVAPP_OCPP_TLS_KEY go together, a key with each certificate.",
            ),
            (
                bool(self.ocpp_tls_client_ca) and not self.ocpp_tls_cert,
                "EVAPP_OCPP_TLS_CLIENT_CA needs EVAPP_OCPP_TLS_CERT and EVAPP_OCPP_TLS_KEY: without them no charger is "
                "asked for a certificate.",
            ),
        )

    def _address_rules(self) -> tuple[tuple[bool, str], ...]:
        """Nothing that cannot be reached, and nothing elsewhere without a lock."""
        prod, public, redis = self.production, parts_of(self.url), parts_of(self.redis_url)
        return (
            *(
                (not 0 <= getattr(self, name) <= MOST_PORT, f"EVAPP_{name.upper()} is a port: {MOST_PORT} at most.")
                for name in PORTS
            ),
            (
                bool(self.public_url) and (public.scheme not in USUAL_PORT or not public.hostname),
                "EVAPP_PUBLIC_URL is the address that drivers open, such as https://evapp.example.org.",
            ),
            (prod and not self.secure, "EVAPP_PUBLIC_URL must be an https address in production."),
            (
                prod
                and bool(self.public_url)
                and ("@" in self.url or self.url != f"{public.scheme}://{public.netloc}"),
                "EVAPP_PUBLIC_URL is an origin: scheme, host and port, nothing more.",
            ),
            (
                bool(self.database_url) and driver(self.database_url) not in DATABASES,
                "EVAPP_DATABASE_URL is sqlite:////folder/evapp.db or postgresql+psycopg://user@host/database.",
            ),
            (
                bool(self.redis_url) and not (redis.scheme in REDIS and is_numbered(redis)),
                "EVAPP_REDIS_URL is the address of a Redis, such as redis://:password@host:6379/0.",
            ),
            (
                prod and not is_here(redis.hostname) and not redis.password,
                "EVAPP_REDIS_URL reaches a Redis on another host without a password: it could start charges.",
            ),
            (
                prod and not self.ocpp_embedded and not self.redis_url,
                "EVAPP_OCPP_EMBEDDED=false needs EVAPP_REDIS_URL: without Redis no page reaches a charger.",
            ),
            (
                not all(HOST.fullmatch(host) for host in self.push_hosts),
                "EVAPP_PUSH_SERVICES is a list of hosts, such as fcm.googleapis.com or *.push.apple.com; or none.",
            ),
            (not self._proxies_are_networks(), "EVAPP_OCPP_PROXIES is no list of addresses or networks."),
            (
                bool(self.otlp_endpoint) and parts_of(self.otlp_endpoint).scheme not in ("http", "https"),
                "EVAPP_OTLP_ENDPOINT is the http or https address of a collector, such as http://collector:4318.",
            ),
        )

    def _seller_rules(self) -> tuple[tuple[bool, str], ...]:
        """Receipts name a seller, and drivers find somebody to ask."""
        prod, state, address = self.production, self.seller_state, self.seller_address.strip()
        return (
            *(
                (
                    prod and getattr(self, name).strip() in ("", HELP_EMAIL, HELP_WHATSAPP),
                    f"EVAPP_{name.upper()} must be set in production.",
                )
                for name in NEEDED
            ),
            (
                prod and bool(state) and not is_state(state),
                "EVAPP_SELLER_STATE is no state or union territory of India, such as Karnataka or Delhi.",
            ),
            (
                prod and bool(self.seller_gstin) and not is_gstin(self.seller_gstin),
                "EVAPP_SELLER_GSTIN is no GSTIN: a state's two digits, 12 more, one that checks: 29ABCDE1234F1ZW.",
            ),
            (
                prod and is_gstin(self.seller_gstin) and not (address and is_of_state(self.seller_gstin, state)),
                "EVAPP_SELLER_GSTIN needs EVAPP_SELLER_ADDRESS, and its own state as EVAPP_SELLER_STATE: invoices have "
                "them, and by the state go CGST with SGST or IGST.",
            ),
        )

    def _proxies_are_networks(self) -> bool:
        try:
            return self.proxies is not None
        except ValueError:
            return False

    def _payment_rules(self) -> tuple[tuple[bool, str], ...]:
        """No real credentials on a sandbox host, no sandbox credentials on a real one (payments.md 1.1, R36)."""
        prod = self.production
        gateway, oauth = parts_of(self.phonepe_pg_url), parts_of(self.phonepe_oauth_url)
        phonepe = SIMULATED not in (_world(gateway), _world(oauth))
        real = _world(gateway) == _world(oauth) == REAL_HOST
        return (
            (
                prod and _world(gateway) == SIMULATED,
                "EVAPP_PHONEPE_PG_URL points at a simulator; production takes real money only through PhonePe.",
            ),
            (
                prod and _world(oauth) == SIMULATED,
                "EVAPP_PHONEPE_OAUTH_URL points at a simulator; set PhonePe's identity-manager address.",
            ),
            (
                prod and TEST_HOST in (_world(gateway), _world(oauth)),
                "EVAPP_PHONEPE_PG_URL or EVAPP_PHONEPE_OAUTH_URL is PhonePe's sandbox; set its real hosts.",
            ),
            (
                _world(gateway) != _world(oauth),
                "EVAPP_PHONEPE_PG_URL and EVAPP_PHONEPE_OAUTH_URL mix a real host with a sandbox.",
            ),
            (
                real and (gateway.path.rstrip("/"), oauth.path.rstrip("/")) != REAL_PATHS,
                "EVAPP_PHONEPE_PG_URL ends with /apis/pg and EVAPP_PHONEPE_OAUTH_URL with /apis/identity-manager.",
            ),
            (
                any(_world(url) != SIMULATED and url.scheme != "https" for url in (gateway, oauth)),
                "EVAPP_PHONEPE_PG_URL and EVAPP_PHONEPE_OAUTH_URL must be https addresses.",
            ),
            (
                (prod or phonepe) and self.phonepe_client_id in ("", SANDBOX_CLIENT_ID),
                "EVAPP_PHONEPE_CLIENT_ID is empty or the sandbox's; set the credentials PhonePe mailed.",
            ),
            (
                (prod or phonepe) and self.phonepe_client_secret.get_secret_value() in ("", SANDBOX_CLIENT_SECRET),
                "EVAPP_PHONEPE_CLIENT_SECRET is empty or the sandbox's; set the secret PhonePe mailed.",
            ),
            (
                (prod or real) and self.phonepe_webhook_password.get_secret_value() in ("", SANDBOX_WEBHOOK_PASSWORD),
                "EVAPP_PHONEPE_WEBHOOK_PASSWORD is empty or the sandbox's; set the one of PhonePe's dashboard.",
            ),
            (
                prod and not all(host.lower().endswith(".phonepe.com") for host in self.checkout_hosts),
                "EVAPP_PHONEPE_CHECKOUT_HOSTS names a host that is not PhonePe's.",
            ),
        )


def _world(url: SplitResult) -> str:
    """Whose money an address moves: PhonePe's real one, its sandbox's, or a simulator's."""
    host = url.hostname or ""
    if not host.endswith(".phonepe.com"):
        return SIMULATED
    return host if host == REAL_HOST else TEST_HOST


@lru_cache(1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def var_dir() -> Path:
    """Where one machine keeps what it makes: database, secrets, sockets. 0700."""
    path = Path(settings().var_dir).absolute()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _development_secret() -> bytes:
    """Made by whichever process comes first; the others never see half of it."""
    path = var_dir() / "secret_key"
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=var_dir())
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_urlsafe(48).encode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_bytes()
