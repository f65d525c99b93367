"""Reflex build settings: small bundles, one process, nothing phoned home."""

import os

import reflex as rx

# Read by Reflex when it is imported further; a real environment variable wins. A silent phone is noticed after 25 s
# instead of 145 s. One worker holds all sockets of a process; more processes are more such workers. What changes a page
# comes from the process of its socket, which may keep the page's state for a moment before Redis has it.
os.environ.setdefault("REFLEX_SOCKET_INTERVAL", "15s")
os.environ.setdefault("REFLEX_SOCKET_TIMEOUT", "10s")
os.environ.setdefault("GRANIAN_WORKERS", "1")
os.environ.setdefault("REFLEX_OPLOCK_ENABLED", "true")

from domain import complaints
from domain.settings import settings
from evapp.components.tokens import TAILWIND
from evapp.web.bundles import BundlesPlugin
from evapp.web.pwa import PWAPlugin

with complaints.instead_of_a_trace():
    settings().check()

MODES = rx.constants.StateManagerMode
STATES = (
    {"state_manager_mode": MODES.REDIS, "redis_url": settings().redis_url}
    if settings().redis_url
    else {"state_manager_mode": MODES.MEMORY}
)
"""Where the pages' states are: with one process in its memory, with several where each of them can read it."""

config = rx.Config(
    app_name="evapp",
    backend_port=settings().port,  # frontend_port would be for both, too, but forbids --backend-only
    api_url=settings().url,
    deploy_url=settings().url,
    cors_allowed_origins=[settings().url],
    trusted_proxy_hops=1 if settings().secure else 0,
    **STATES,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    frontend_lazy_bundled_libraries=True,
    frontend_compression_formats=["brotli", "gzip"],
    plugins=[rx.plugins.TailwindV4Plugin(config=TAILWIND), BundlesPlugin(), PWAPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
