"""Attacks of a signed-in driver and of other websites on what is not theirs."""

from tests.security.attacks.defence import DOORS, FORMS, GOING, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
    "Another driver's receipt, order, wallet, charge or sign-in by its id": (
        Defence(
            "a payment's receipt is its payer's",
            "domain/receipts.py",
            "order is None or order.user_id != user_id or",
            "order is None or",
            "tests/unit/evapp/web/test_downloads.py::test_anothers_receipts_are_at_no_address",
        ),
        Defence(
            "an order is its owner's, else not found",
            "domain/recharges.py",
            "if order is None or order.user_id != user_id:",
            "if order is None:",
            f"{GOING}::test_another_drivers_order_is_not_found",
        ),
        Defence(
            "a past charge is its driver's, else not found",
            "domain/sessions.py",
            "ChargingSession.ref == ref, ChargingSession.user_id == user_id",
            "ChargingSession.ref == ref",
            "tests/unit/domain/test_history.py::test_ones_own_only",
        ),
        Defence(
            "a list of past charges has its driver's alone",
            "domain/history.py",
            "        select(ChargingSession)\n        .where(ChargingSession.user_id == user_id)\n",
            "        select(ChargingSession)\n",
            "tests/unit/domain/test_history.py::test_the_past_is_newest_first_a_page_at_a_time",
        ),
        Defence(
            "only own sign-ins are ended",
            "domain/sign_ins.py",
            "SignIn.id == sign_in_id, SignIn.user_id == user_id",
            "SignIn.id == sign_in_id",
            "tests/unit/domain/test_sign_ins.py::test_people_see_and_end_their_own_sign_ins_only",
        ),
        Defence(
            "a card is blocked by whom it belongs to",
            "domain/tokens.py",
            "col(Token.tag) == spelling(tag), col(Token.user_id) == user_id",
            "(col(Token.tag) == spelling(tag),)",
            "tests/unit/evapp/state/test_cards.py::test_a_card_that_became_anothers_meanwhile_is_left_alone",
        ),
        Defence(
            "an event that nobody signed stands behind leads to the gate",
            "evapp/web/auth.py",
            "    if user is None and scope_of(state):\n        url =",
            "    if False:\n        url =",
            "tests/unit/evapp/state/test_recharge.py::test_nobody_signed_in_places_nothing",
        ),
    ),
    "Hidden state through a payload or a setter; a helper called as an event": (
        Defence(
            "a leading underscore keeps a method off the websocket",
            "evapp/state/wallet.py",
            "async def _refresh(",
            "async def refresh(",
            "tests/security/test_event_surface.py::test_nothing_else_is_public",
        ),
    ),
    "A websocket from another site": (
        Defence(
            "the one origin",
            "rxconfig.py",
            "cors_allowed_origins=[settings().url]",
            'cors_allowed_origins=["*"]',
            f"{DOORS}::test_a_websocket_from_elsewhere_is_refused",
        ),
    ),
    "A form posted from another site": (
        Defence(
            "Origin and Sec-Fetch-Site",
            "evapp/web/forms.py",
            "    _from_here(request)\n",
            "",
            f"{FORMS}::test_another_site_cannot_post",
        ),
    ),
    "A state changed by a link": (
        Defence(
            "the doors take posts alone",
            "evapp/web/auth.py",
            'Route("/auth/logout", logout, methods=["POST"])',
            'Route("/auth/logout", logout, methods=["GET", "POST"])',
            f"{FORMS}::test_no_state_changes_by_get",
        ),
    ),
}
