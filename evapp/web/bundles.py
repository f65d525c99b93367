"""Which scripts travel together: by itself each icon is a file of 200 bytes under 800 bytes of headers."""

from typing import Any

from reflex_base.plugins.base import Plugin

CONFIG = "vite.config.js"
GROUPS = "groups: ["
"""Where Reflex's configuration of Vite lists what belongs into one file."""

ICONS = '{ test: /lucide-react/, name: "icons" },'
"""All icons of all pages: a page more or less needs the same twenty."""


class UnknownConfig(Exception):
    """Reflex configures Vite otherwise than it did; its file is the argument."""


class BundlesPlugin(Plugin):
    """Runs before each build of the front end."""

    def pre_compile(self, **context: Any) -> None:
        """Have Vite's configuration changed once it is written."""
        context["add_modify_task"](CONFIG, grouped)


def grouped(config: str) -> str:
    """The configuration with the icons in one file; the same when it says so already.

    Raises:
        UnknownConfig: there is no list of groups to add to.
    """
    if ICONS in config:
        return config
    if GROUPS not in config:
        raise UnknownConfig(config)
    return config.replace(GROUPS, GROUPS + ICONS, 1)
