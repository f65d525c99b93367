"""The camera that reads a sticker's code: the npm scanner as a component, with its decoder served from here."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar

LIBRARY = "@yudiel/react-qr-scanner"
VERSION = "2.6.0"
OVERRIDES = "setZXingModuleOverrides"

DECODER = "/wasm/"
"""Where evapp/web/pwa.py puts the decoder; the library would take it from somebody else's server."""


CAMERA, LIGHT = "camera", "light"
"""IDs of what holds the scanner, and of the words that name the button for its light."""

label: FunctionVar[Any] = FunctionStringVar.create(f"document.querySelector('#{CAMERA} button')?.setAttribute")
construct: FunctionVar[Any] = FunctionStringVar.create("Reflect.construct")
observe: FunctionVar[Any] = FunctionStringVar.create("MutationObserver.prototype.observe.call")


def _first(codes: rx.Var[list[dict[str, str]]]) -> tuple[rx.Var[str]]:
    return (codes[0]["rawValue"].to(str),)  # type: ignore[index]


def _kind(error: rx.Var[dict[str, str]]) -> tuple[rx.Var[str]]:
    return (error["kind"].to(str),)  # type: ignore[index]


class Scanner(rx.Component):
    """Reads QR codes until it is unmounted.

    Give it a width and a height to wish for: its own default demands 640 px each way, which many cameras have not.
    """

    library = f"{LIBRARY}@{VERSION}"
    tag = "Scanner"

    formats: rx.Var[list[str]]
    constraints: rx.Var[dict[str, Any]]
    components: rx.Var[dict[str, bool]]
    sound: rx.Var[bool]
    on_scan: rx.EventHandler[_first]  # type: ignore[type-arg, valid-type]
    """Takes the text of the code."""
    on_error: rx.EventHandler[_kind]  # type: ignore[type-arg, valid-type]
    """Takes what is wrong, as the library calls it: permission-denied, no-camera, in-use …"""

    def add_imports(self) -> Any:
        """The switch that says where the decoder is."""
        return {self.library or LIBRARY: OVERRIDES}

    def add_custom_code(self) -> list[str]:
        """Set it before the first scan, wherever the browser has no decoder of its own."""
        path = rx.Var(_js_expr="path").to(str)
        here = ArgsFunctionOperation.create(("path",), rx.Var.create(DECODER) + path)
        return [str(FunctionStringVar.create(OVERRIDES).call({"locateFile": here}))]


def name_the_light() -> EventSpec:
    """The library names the button in English alone; it comes when the camera has told what it can do."""
    labelled = ArgsFunctionOperation.create((), label.call("aria-labelledby", LIGHT))
    watcher = construct.call(rx.Var("MutationObserver"), [labelled])
    whole: rx.Var[Any] = rx.Var(f"document.getElementById('{CAMERA}')")
    return rx.run_script(observe.call(watcher, whole, {"childList": True, "subtree": True}))


def scanner(on_scan: Any, on_error: Any) -> rx.Component:
    """The camera at the back, for QR codes alone, silent, with a button for its light where it has one.

    The button lies in the library's frame, which assets/theme.css hides.
    """
    return Scanner.create(
        formats=["qr_code"],
        constraints={"facingMode": "environment", "width": {"ideal": 1280}, "height": {"ideal": 720}},
        components={"finder": True, "torch": True, "zoom": False, "onOff": False},
        sound=False,
        on_scan=on_scan,
        on_error=on_error,
    )
