"""Reflex build settings: small bundles, one process, nothing phoned home."""

import os

import reflex as rx

# Read by Reflex when it is imported further: a silent phone is noticed after 25 s instead of 145 s, and one
# worker holds all sockets (more need Redis). A real environment variable wins.
os.environ.setdefault("REFLEX_SOCKET_INTERVAL", "15s")
os.environ.setdefault("REFLEX_SOCKET_TIMEOUT", "10s")
os.environ.setdefault("GRANIAN_WORKERS", "1")

from domain.settings import settings
from evapp.components.tokens import TAILWIND
from evapp.web.pwa import PWAPlugin

config = rx.Config(
    app_name="evapp",
    backend_port=settings().port,  # frontend_port would be for both, too, but forbids --backend-only
    api_url=settings().url,
    deploy_url=settings().url,
    cors_allowed_origins=[settings().url],
    trusted_proxy_hops=1 if settings().secure else 0,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    frontend_lazy_bundled_libraries=True,
    frontend_compression_formats=["brotli", "gzip"],
    plugins=[rx.plugins.TailwindV4Plugin(config=TAILWIND), PWAPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
