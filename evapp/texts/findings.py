"""What a finding is called, and what to do about it, in a few words; docs/operate.md has more of them."""

from evapp.texts import Later, later, t

KINDS: dict[str, tuple[Later, Later]] = {
    "audit": (
        later("A rule of the ledger is broken"),
        later("Move no money. Look at “wallet audit” at the shell, and ask for help."),
    ),
    "boot-loop": (later("A charger boots again and again"), later("Look at its power and its firmware.")),
    "certificate-wanted": (
        later("A charger wants a certificate"),
        later("Sign the request that is in its journal, and send it with CertificateSigned."),
    ),
    "clock-ahead": (
        later("A clock of ours was ahead"),
        later("Look at NTP on every machine, then at the charges and payments of that time."),
    ),
    "conflict": (
        later("A second stop with another meter"),
        later("The first stop stands. Compare it with the charger's own log."),
    ),
    "driver-report": (
        later("A driver reports a fault"),
        later(
            "Smell, smoke or sparks: have it switched off and go there at once. Else look at its page, then go there."
        ),
    ),
    "energy-scale": (later("A charger counts kWh and calls them Wh"), later("The bill is right. Tell its maker.")),
    "local-list": (
        later("A charger had another list of cards"),
        later("The whole list was sent again. Ask it for GetLocalListVersion."),
    ),
    "mismatch": (later("A payment of another amount"), later("Ask PhonePe, then “payments suspense” at the shell.")),
    "mute": (
        later("A charger answers and tells nothing"),
        later("Send it Reset, Soft. It keeps its charges and tells them after that."),
    ),
    "one-identity": (
        later("Two boards use one identity"),
        later("Compare the serial numbers of its boots in its journal, and give each board an identity of its own."),
    ),
    "orphan-hold": (later("Money is held for what is over"), later("Look at the charge, and ask for help.")),
    "orphan-stop": (later("A stop that belongs to no charge"), later("Find out whose energy it was.")),
    "overdue": (later("Something is late and nobody does it"), later("See whether the server runs; its log says why.")),
    "refund-due": (later("Money came in for somebody who left"), later("Send it back, if it shall go back.")),
    "refund-late": (
        later("Paid back after all, maybe twice"),
        later("Ask PhonePe. What is there twice is taken from the wallet, on the user's page."),
    ),
    "refund-mismatch": (
        later("Another amount was paid back"),
        later("Ask PhonePe. If its answer stays, “refund accept” at the shell."),
    ),
    "refund-slow": (
        later("A refund takes too long"),
        later("Look at PhonePe's dashboard. Where it is not known there, “refund give-up” at the shell."),
    ),
    "refund-undone": (later("A refund was taken back"), later("Ask PhonePe.")),
    "review": (
        later("A bill to look at"),
        later("Look at the figures of the charge, and give back what was too much."),
    ),
    "security": (later("A charger reports tampering"), later("Go there.")),
    "stop-unanswered": (
        later("A charger does not stop"),
        later("Go there, or have it stopped on the spot. The driver pays by the meter only."),
    ),
    "unconfirmed": (
        later("A payment that nobody confirms"),
        later("Ask PhonePe; while there is no answer, write to them, with the order."),
    ),
    "unsettled": (later("A charge without a bill"), later("Look at the charge; the server's log says why.")),
}
"""Kind → what happened, what to do."""
FAMILIES: dict[str, tuple[Later, Later]] = {
    "gateway-": (later("PhonePe says something else"), later("Ask PhonePe.")),
    "settled-": (
        later("The settlement report says something else"),
        later("Ask about it with “payments ask” at the shell."),
    ),
}
"""The same of several kinds, by how they begin."""


def title(kind: str) -> str:
    """What happened; a kind nobody described is its own name."""
    told = _told(kind)
    return t(told[0]) if told else kind


def advice(kind: str) -> str:
    """What to do."""
    told = _told(kind)
    return t(told[1]) if told else ""


def _told(kind: str) -> tuple[Later, Later] | None:
    return KINDS.get(kind) or next((told for begins, told in FAMILIES.items() if kind.startswith(begins)), None)
