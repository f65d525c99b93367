"""Every attack of the product's promise: the defence, where it stands, the test, and how the test is seen to fail.

`make breaches` takes each defence out of a copy of the product, one at a time, and runs its test, which must fail.
docs/security.md shows this table (`python -m scripts.breaches --page`).
"""

from typing import NamedTuple


class Defence(NamedTuple):
    """What holds against an attack."""

    says: str
    where: str
    """The file it stands in."""
    text: str
    """It, as it stands there, once."""
    without: str
    """The same place without it."""
    test: str
    """Fails then."""


CHECKOUT = "tests/unit/evapp/web/test_checkout.py"
SIGN_IN = "tests/unit/evapp/web/test_auth.py"
GUESSES = "tests/security/test_accounts.py"
CHARGER = "tests/csms/test_attacks.py"
FLOODS = "tests/csms/test_limits.py"
DOORS = "tests/e2e/test_doors.py"
API = "tests/unit/api/test_door.py"
OPERATORS = "tests/unit/domain/test_operators.py"

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
            f"{CHECKOUT}::test_another_drivers_order_is_not_found",
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
            f"{SIGN_IN}::test_another_site_cannot_post",
        ),
    ),
    "A state changed by a link": (
        Defence(
            "the doors take posts alone",
            "evapp/web/auth.py",
            'Route("/auth/logout", logout, methods=["POST"])',
            'Route("/auth/logout", logout, methods=["GET", "POST"])',
            f"{SIGN_IN}::test_no_state_changes_by_get",
        ),
    ),
    "A webhook without our credentials": (
        Defence(
            "their digest, compared in constant time",
            "payments/phonepe.py",
            "if not self._bell or not hmac.compare_digest(given, self._bell):",
            "if not self._bell:",
            f"{CHECKOUT}::test_foreign_credentials_are_refused_and_ask_nobody",
        ),
    ),
    "A webhook with captured credentials and another amount": (
        Defence(
            "a webhook is a bell: PhonePe's own status decides, and its amount must be the order's",
            "domain/recharges.py",
            "if status.amount_paise != order.amount_paise:",
            "if False:",
            "tests/money/test_recharges.py::test_another_amount_than_ours_is_not_credited",
        ),
    ),
    "The same webhook, or a thousand different ones, with captured credentials": (
        Defence(
            "what was decided is decided",
            "domain/recharges.py",
            '    evidence.keep(db, "status", merchant_order_id, status.body)\n'
            "    if order.state in DECIDED:\n        return\n",
            '    evidence.keep(db, "status", merchant_order_id, status.body)\n',
            "tests/money/test_recharges.py::test_the_same_news_again_changes_nothing",
        ),
        Defence(
            "under one name the ledger moves money once",
            "domain/wallet.py",
            "    accounts = lock(db, postings)\n    if known := db.exec(",
            "    accounts = lock(db, postings)\n    if known := None and db.exec(",
            "tests/unit/domain/test_wallet.py::test_the_same_key_gives_the_first_transfer",
        ),
        Defence(
            "20 rows an order",
            "domain/evidence.py",
            "if len(db.exec(rings.limit(RINGS)).all()) < RINGS:",
            "if rings is not None:",
            f"{CHECKOUT}::test_a_thousand_different_rings_with_captured_credentials",
        ),
        Defence(
            "20 waiting an order",
            "evapp/web/checkout.py",
            "if order_id is not None and _under_way[order_id] < RINGS_AT_ONCE:",
            "if order_id is not None:",
            f"{CHECKOUT}::test_a_thousand_different_rings_with_captured_credentials",
        ),
    ),
    "A webhook of 50 MB, or nested deeply": (
        Defence(
            "no more than 64 KiB are read",
            "evapp/web/checkout.py",
            "        if len(body) > LARGEST:\n            return None\n",
            "",
            f"{CHECKOUT}::test_fifty_megabytes_take_no_memory",
        ),
        Defence(
            "nesting is a refusal",
            "payments/shapes.py",
            "except (ValueError, RecursionError) as error:",
            "except ValueError as error:",
            f"{CHECKOUT}::test_whatever_rings_changes_nothing",
        ),
    ),
    "A flood of forged webhooks": (
        Defence(
            "30 a minute and address are answered and logged",
            "evapp/web/checkout.py",
            "return self._counted[address] > REFUSALS_A_MINUTE",
            "return False",
            f"{CHECKOUT}::test_a_flood_of_foreign_credentials_is_cut_short_by_address",
        ),
    ),
    'Amounts: 499.99, 499.999, -500, 0, 1e309, NaN, "500,00", 10^12, Devanagari digits': (
        Defence(
            "one parser, ASCII digits",
            "domain/money.py",
            r'_TYPED = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,2}))?")',
            r'_TYPED = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))?")',
            "tests/unit/domain/test_money.py::test_anything_else_is_refused_in_a_sentence",
        ),
        Defence(
            "the least and the most, in the domain",
            "domain/recharges.py",
            "    _refuse_amount(amount_paise)\n",
            "",
            "tests/money/test_recharges.py::test_less_than_500_or_no_whole_number_is_refused",
        ),
    ),
    "50 starts at once with money for one": (
        Defence(
            "one open charge a driver",
            "domain/starts.py",
            "if running := sessions.open_of(db, user_id):",
            "if False and (running := sessions.open_of(db, user_id)):",
            "tests/money/test_charging_at_once.py::test_50_wishes_of_one_driver_are_one_hold",
        ),
    ),
    "200 clicks on Recharge with one nonce": (
        Defence(
            "a nonce is one order",
            "domain/recharges.py",
            "        return known\n",
            "        nonce = secrets.token_hex(16)\n",
            "tests/money/test_recharges.py::test_200_clicks_at_once_are_one_order",
        ),
    ),
    "A PIN guessed by force: 100 guesses at once, from one address and from many": (
        Defence(
            "counted and locked before it is checked",
            "domain/attempts.py",
            "    if user.locked_until and user.locked_until > at:\n        raise Locked(user.locked_until)\n",
            "",
            f"{GUESSES}::test_force_from_many_addresses_at_once_is_five_guesses",
        ),
        Defence(
            "an address and a network run out",
            "domain/attempts.py",
            "        if full := _full(db, door, key, limit, at):\n            raise Locked(full)\n",
            "",
            "tests/unit/domain/test_attempts.py::test_an_address_and_a_network_run_out_of_guesses",
        ),
    ),
    "One PIN over many accounts": (
        Defence(
            "20 tries an address",
            "domain/attempts.py",
            '_GUESSES = (Limit("address", 20,',
            '_GUESSES = (Limit("address", 2000,',
            f"{GUESSES}::test_one_pin_over_many_accounts_ends_at_the_address",
        ),
        Defence(
            "from everywhere: all sign-ins slow down",
            "domain/attempts.py",
            'slow=_full(db, door, _key("everyone", address), CALM, at) is not None,',
            "slow=False,",
            "tests/unit/domain/test_attempts.py::test_a_flood_from_everywhere_makes_everything_slow_but_locks_nobody_out",
        ),
    ),
    "Locking an owner out by guessing in his name": (
        Defence(
            "a known device has its own counter",
            "domain/attempts.py",
            "if user and device and device[0] == user.id:",
            "if False:",
            "tests/unit/domain/test_attempts.py::test_a_stranger_cannot_lock_the_owner_out_of_a_known_device",
        ),
        Defence(
            "whose cookie is signed",
            "evapp/web/auth.py",
            '        user_id, number = _devices().loads(connection.cookies.get(flash.name(DEVICE), ""))\n',
            '        user_id, number = _devices().loads_unsafe(connection.cookies.get(flash.name(DEVICE), ""))[1]\n',
            f"{SIGN_IN}::test_a_device_cookie_cannot_be_made_at_home",
        ),
    ),
    "Users told apart by text, status or time": (
        Defence(
            "one sentence and one lock for known and unknown",
            "domain/attempts.py",
            'counter = "" if user else _name_key(login)',
            'counter = ""',
            f"{GUESSES}::test_known_and_unknown_names_get_the_same_answers_all_the_way_to_the_lock",
        ),
        Defence(
            "an unknown name costs the same bcrypt",
            "domain/pins.py",
            '    _, salt, expected = (kept or _nobody()).split("$", 2)\n',
            '    if not kept:\n        return False\n    _, salt, expected = kept.split("$", 2)\n',
            f"{GUESSES}::test_known_and_unknown_names_cost_the_same_bcrypt",
        ),
    ),
    "One phone in six spellings; names of markup, invisible letters and look-alikes, of 10 kB": (
        Defence(
            "E.164",
            "domain/identity.py",
            "return phonenumbers.format_number(number, PhoneNumberFormat.E164)",
            "return str(typed).strip()",
            "tests/unit/domain/test_accounts.py::test_six_spellings_of_one_phone_at_once_are_one_account",
        ),
        Defence(
            "ASCII letters, digits, underscores",
            "domain/identity.py",
            '_USERNAME = re.compile(r"[a-z0-9_]{3,30}")',
            r'_USERNAME = re.compile(r"[\w<>]{3,30}")',
            "tests/unit/domain/test_identity.py::test_look_alikes_and_markup_are_no_usernames",
        ),
        Defence(
            "bodies of 64 KiB",
            "evapp/web/forms.py",
            "LARGEST = 65_536",
            "LARGEST = 65_536_000",
            f"{SIGN_IN}::test_a_body_without_a_length_is_read_no_further_than_its_limit",
        ),
    ),
    "A sign-in planted beforehand (fixation); a token after signing out or a new PIN": (
        Defence(
            "a new token at each sign-in",
            "evapp/web/auth.py",
            "        raise Refused(attempts.MISMATCH)\n    token = sign_ins.new_token()",
            "        raise Refused(attempts.MISMATCH)\n"
            "    token = request.cookies.get(flash.name(COOKIE)) or sign_ins.new_token()",
            f"{SIGN_IN}::test_a_planted_token_is_never_taken_over",
        ),
        Defence(
            "signing out ends it in the database",
            "evapp/web/auth.py",
            "        await transact(sign_ins.sign_out, token_hash)\n",
            "        pass\n",
            f"{SIGN_IN}::test_logging_out_ends_the_sign_in_for_good",
        ),
        Defence(
            "a new PIN ends every sign-in",
            "domain/accounts.py",
            "    user.pin_hash = pin_hash\n    sign_ins.end_all(db, user.id or 0)\n",
            "    user.pin_hash = pin_hash\n",
            f"{SIGN_IN}::test_a_new_pin_rotates_this_browser_and_ends_the_others",
        ),
        Defence(
            "a signed-out tab is pushed nothing",
            "evapp/web/live.py",
            "        if isinstance(event, SignedOut):",
            "        if False:",
            "tests/unit/evapp/web/test_live.py::test_a_signed_out_tab_is_told_nothing",
        ),
    ),
    "The operators' pages, by their addresses or by forged events": (
        Defence(
            "for everybody else there is nothing at their addresses",
            "evapp/web/operators.py",
            "or await _is_operator(Request(scope)):",
            "or True:",
            "tests/unit/evapp/web/test_operators.py::test_nothing_is_there_for_others",
        ),
        Defence(
            "each event looks the role up",
            "domain/operators.py",
            "    if found is None or found[0].role != Role.OPERATOR:\n        raise NotAnOperator",
            "    if found is None:\n        raise NotAnOperator",
            f"{OPERATORS}::test_only_an_operators_token_finds_one",
        ),
        Defence(
            "and no page shows anything before that",
            "evapp/state/ops.py",
            '    if ops.here == NOTHING:\n        ops.until = ""\n        return None\n    try:\n'
            "        _, sign_in = await read(operators.signed_in, token_hash)\n"
            "    except operators.NotAnOperator:  # ended in this very moment: the next event learns it\n"
            "        return None\n    until = operators.open_until(sign_in)\n"
            '    ops.until = clock(until) if until else ""\n',
            "",
            "tests/unit/evapp/state/test_ops.py::test_a_driver_and_a_stranger_get_nothing_of_any_handler",
        ),
        Defence(
            "who becomes an operator, or no longer is one, has to sign in anew",
            "domain/operators.py",
            "        sign_ins.end_all(db, user_id)\n",
            "",
            f"{OPERATORS}::test_an_operator_is_made_and_unmade_and_must_sign_in_anew_each_time",
        ),
    ),
    "An operator's page left open; his cookie without his PIN": (
        Defence(
            "the transaction of a deed asks for a fresh PIN",
            "domain/operators.py",
            "    if what.pin and open_until(sign_in) is None:",
            "    if False:",
            "tests/unit/evapp/state/test_ops.py::test_without_a_fresh_pin_nothing_is_done",
        ),
        Defence(
            "which is fresh for ten minutes",
            "domain/operators.py",
            "    return until if until > (at or now()) else None",
            "    return until",
            f"{OPERATORS}::test_after_ten_minutes_it_is_wanted_again",
        ),
        Defence(
            "on this sign-in alone, under a new token",
            "domain/operators.py",
            "    sign_in.token_hash, sign_in.stepped_up_at, sign_in.seen_at = browser.token_hash, at, at",
            "    sign_in.stepped_up_at, sign_in.seen_at = at, at",
            f"{SIGN_IN}::test_the_pin_opens_changes_under_a_new_token",
        ),
        Defence(
            "a driver's PIN opens nothing",
            "domain/operators.py",
            "    if user is None or user.role != Role.OPERATOR or found is None",
            "    if user is None or found is None",
            f"{OPERATORS}::test_a_drivers_pin_opens_nothing",
        ),
    ),
    "An operator's act that nobody can read about, or one that was changed afterwards": (
        Defence(
            "its line is written in the transaction of the act",
            "domain/operators.py",
            "    trail.note(db, trail.user(user.id or 0), what.action, what.subject, what.detail)\n",
            "",
            f"{OPERATORS}::test_the_pin_opens_everything_for_ten_minutes_under_a_new_token",
        ),
        Defence(
            "the trail takes new lines only",
            "alembic/versions/0011_trail.py",
            "    protect()\n\n",
            "\n",
            "tests/unit/domain/test_wallet.py::test_what_was_written_stays_written",
        ),
    ),
    "A key of the REST API: guessed, over, from a stolen database, or beyond its scopes": (
        Defence(
            "wrong ones of an address run out",
            "api/door.py",
            "                await self._guessed(self._address_of(request))\n",
            "                pass\n",
            f"{API}::test_wrong_keys_are_limited_by_address_and_right_ones_are_not",
        ),
        Defence(
            "one that was revoked or is over is none",
            "domain/api_keys.py",
            "    return None if over else row",
            "    return row",
            f"{API}::test_a_key_that_is_over_opens_nothing",
        ),
        Defence(
            "kept as a hash",
            "domain/api_keys.py",
            'return hashlib.sha256(key.encode(errors="replace")).hexdigest()',
            'return key.encode(errors="replace").decode()',
            "tests/unit/domain/test_api_keys.py::test_a_key_is_kept_as_a_hash_and_known_again",
        ),
        Defence(
            "each endpoint asks for its scope",
            "api/door.py",
            "    if operation.scope not in api_keys.scopes(key):",
            "    if False:",
            f"{API}::test_who_may_what",
        ),
    ),
    "A write of the REST API sent twice, or twenty times at once": (
        Defence(
            "money has no way without an Idempotency-Key",
            "api/incoming.py",
            "    if not given and not needed:",
            "    if not given:",
            f"{API}::test_without_a_name_no_money_moves",
        ),
        Defence(
            "what was done under a name is not done again",
            "domain/api_writes.py",
            "    return _answer(row, fingerprint)\n\n\ndef answered",
            "    _answer(row, fingerprint)\n    return None\n\n\ndef answered",
            f"{API}::test_twenty_at_once_move_money_once",
        ),
        Defence(
            "a name is for one request",
            "domain/api_writes.py",
            "    if not hmac.compare_digest(row.fingerprint, fingerprint):",
            "    if False:",
            f"{API}::test_the_same_name_for_something_else_is_refused",
        ),
        Defence(
            "money moves once even when its answer is forgotten",
            "api/door.py",
            " if name else uuid4().hex\n",
            " if False else uuid4().hex\n",
            f"{API}::test_when_the_answer_is_forgotten_the_money_still_moves_once",
        ),
        Defence(
            "a command that was begun is not begun again",
            "domain/api_writes.py",
            "        raise UnderWay(row.name)\n    return Answer(row.status, row.answer)",
            "        return None\n    return Answer(row.status, row.answer)",
            f"{API}::test_a_write_that_is_under_way_is_not_begun_again",
        ),
    ),
    "A request of the REST API that two readers would read differently; one of a gigabyte": (
        Defence(
            "no name twice, no NaN, no number without end",
            "api/incoming.py",
            "            raw, object_pairs_hook=_once, parse_constant",
            "            raw, parse_constant",
            f"{API}::test_only_what_can_be_read_one_way_is_read",
        ),
        Defence(
            "256 KiB",
            "api/incoming.py",
            "                if len(gathered) > LARGEST:",
            "                if False:",
            f"{API}::test_only_what_can_be_read_one_way_is_read",
        ),
    ),
    "A cookie that scripts can read; a tab's token taken from a proxy's log": (
        Defence(
            "HttpOnly",
            "evapp/web/flash.py",
            '"httponly": True',
            '"httponly": False',
            f"{SIGN_IN}::test_registering_signs_in_with_a_cookie_no_script_can_read",
        ),
        Defence(
            "__Host- over https",
            "evapp/web/flash.py",
            'return f"__Host-{cookie}" if settings().secure else cookie',
            "return cookie",
            f"{SIGN_IN}::test_over_https_cookies_are_bound_to_the_host",
        ),
        Defence(
            "the tab's token is bound to the sign-in",
            "evapp/web/auth.py",
            '"query_string": _own_tab(scope["query_string"], token_hash or ""),',
            '"query_string": scope["query_string"],',
            f"{SIGN_IN}::test_the_handshake_hides_the_cookies_and_names_the_sign_in",
        ),
    ),
    "An address made up in X-Forwarded-For": (
        Defence(
            "only as many hops as are trusted",
            "evapp/web/auth.py",
            "return forwarded[-hops]",
            "return forwarded[0]",
            f"{SIGN_IN}::test_an_address_is_believed_only_from_a_trusted_proxy",
        ),
    ),
    "SQL metacharacters in names, tags and charger ids": (
        Defence(
            "parameters, never text (ruff S608 refuses SQL from strings)",
            "domain/tokens.py",
            "    return db.get(Token, spelling(tag))\n",
            "    from sqlalchemy import text\n\n"
            "    return db.exec(select(Token).where(text(f\"tag = '{spelling(tag)}'\"))).first()\n",
            f"{CHARGER}::test_metacharacters_in_a_tag_are_its_letters",
        ),
        Defence(
            "a name has one spelling, or is nobody's",
            "domain/identity.py",
            '    except Unusable:\n        return "username", ""',
            '    except Unusable:\n        return "username", str(typed)',
            "tests/unit/domain/test_identity.py::test_a_login_names_a_phone_or_a_username",
        ),
    ),
    "Markup in what a charger or an operator says": (
        Defence(
            "kept as text, and drawn as text by React",
            "evapp/components/shell.py",
            'rx.el.p(lead, class_name="text-note text-ink-3 mt-0.5 min-h-5") if given(lead)',
            'rx.el.div(rx.html(lead), class_name="text-note text-ink-3 mt-0.5 min-h-5") if given(lead)',
            f"{DOORS}::test_markup_in_a_chargers_name_is_text",
        ),
    ),
    "CR, LF and ANSI codes in what is logged": (
        Defence(
            "JSON: one line, encoded",
            "domain/logs.py",
            "    structlog.processors.JSONRenderer(),\n)",
            "    structlog.processors.KeyValueRenderer(repr_native_str=False),\n)",
            "tests/unit/domain/test_logs.py::test_a_line_is_one_line_whatever_it_is_told",
        ),
    ),
    "Secrets from the logs, the journal and errors": (
        Defence(
            "hidden by name and by looks",
            "domain/logs.py",
            "    redacted,\n",
            "",
            "tests/unit/domain/test_logs.py::test_secrets_are_hidden_by_their_looks_in_any_text",
        ),
        Defence(
            "SQL errors tell no parameters",
            "domain/db.py",
            '        hide_parameters=True,\n        connect_args={"check_same_thread"',
            '        connect_args={"check_same_thread"',
            "tests/unit/domain/test_logs.py::test_a_refused_row_is_not_told_of",
        ),
        Defence(
            "a charger's key is taken out of its messages",
            "csms/journal.py",
            "str(message_id), redacted(frame),",
            "str(message_id), frame,",
            f"{CHARGER}::test_a_key_on_its_way_to_a_charger_is_in_no_row",
        ),
        Defence(
            "also when it is spelt in escapes",
            "csms/journal.py",
            " and ESCAPE not in frame:",
            ":",
            f"{CHARGER}::test_a_key_on_its_way_to_a_charger_is_in_no_row",
        ),
        Defence(
            "the trail keeps no key that a charger was told",
            "domain/trail.py",
            "json.dumps(_without_secrets(detail),",
            "json.dumps(detail,",
            "tests/unit/api/test_chargers.py::test_what_a_charger_is_told_in_secret_is_not_in_the_trail",
        ),
    ),
    "A charger's id with .., NUL or 5 kB": (
        Defence(
            "48 letters, digits and * - _ . :",
            "domain/chargers.py",
            r'IDENTITY = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9*\-_.:]{1,48}")',
            'IDENTITY = re.compile(r".+")',
            "tests/csms/test_handshake.py::test_what_is_no_identity_is_refused",
        ),
    ),
    "Connecting as another charger without its key; a second socket in its name": (
        Defence(
            "401 before the upgrade",
            "domain/chargers.py",
            "        raise ChargerKeyWrong(charger_id)\n",
            "        pass\n",
            f"{CHARGER}::test_a_second_socket_without_the_key_leaves_the_first_alone",
        ),
        Defence(
            "unknown ones are refused",
            "domain/chargers.py",
            "        if not accept_unknown:\n            raise ChargerUnknown(charger_id)\n",
            "",
            "tests/csms/test_handshake.py::test_unknown_chargers_are_refused_where_settings_say_so",
        ),
    ),
    "10^4 guesses at a charger's key": (
        Defence(
            "20 a minute in its name, without a look at the database",
            "csms/server.py",
            "            if not self._attempts.allowed(address, charger_id, key):\n"
            "                return self._throttled(socket)\n",
            "",
            f"{FLOODS}::test_guessed_keys_are_throttled_before_the_database",
        ),
        Defence(
            "60 a minute from an address",
            "csms/limits.py",
            "wrong_of_address: int = 60",
            "wrong_of_address: int = 6000",
            f"{FLOODS}::test_an_address_that_guesses_names_is_throttled",
        ),
    ),
    "StopTransaction for another charger's transaction": (
        Defence(
            "a number counts with its own charger",
            "domain/stops.py",
            "    began = select(ChargingSession.id).where(\n        ChargingSession.charger_id == charger_id, ",
            "    began = select(ChargingSession.id).where(\n        ",
            "tests/csms/test_quirks_of_charges.py::test_a_stop_of_another_chargers_transaction_is_nobodys",
        ),
    ),
    "Inflated and negative meters": (
        Defence(
            "no more than the connector can give in the time",
            "domain/settlement.py",
            "    most = plausible_wh(power_w, _longest(session))\n",
            "    most = 2**63 - 1\n",
            f"{CHARGER}::test_inflated_and_negative_meters_touch_nobody",
        ),
    ),
    "OCPP messages of 1 MB": (
        Defence(
            "256 KiB",
            "csms/server.py",
            "max_size=LARGEST_FRAME,",
            "max_size=None,",
            "tests/csms/test_messages.py::test_a_megabyte_is_no_message",
        ),
    ),
    "Endless fragments": (
        Defence(
            "1,000 a message",
            "csms/fast.py",
            "        if self._fragments <= self._limits.fragments:\n            return False\n",
            "        return False\n",
            f"{FLOODS}::test_fragments_without_end_are_closed",
        ),
    ),
    "Binary frames and text that is no UTF-8": (
        Defence(
            "the library closes with 1007",
            "csms/fast.py",
            "            self.queued += event.fin\n",
            "            self.queued += event.fin\n"
            '            event.data = bytes(event.data).decode(errors="replace").encode()\n',
            f"{CHARGER}::test_text_that_is_no_utf_8_closes_its_own_socket",
        ),
        Defence(
            "binary is read as far as it can be",
            "csms/frames.py",
            'raw.decode(errors="replace")',
            "raw.decode()",
            f"{CHARGER}::test_a_binary_frame_of_noise_is_answered_or_ignored",
        ),
    ),
    "10^4 messages a second; sockets without end; a handshake that never ends": (
        Defence(
            "a charger is read as fast as it may speak",
            "csms/fast.py",
            "            self.transport.pause_reading()\n            self.loop.call_later(wait, self._read_on)",
            "            pass",
            f"{FLOODS}::test_a_flood_is_read_slowly_and_whole",
        ),
        Defence(
            "sockets of an address, and in all",
            "csms/fast.py",
            "        if self._crowd.enter(neighbourhood):",
            "        if self._crowd.enter(neighbourhood) or True:",
            f"{FLOODS}::test_sockets_have_an_end",
        ),
        Defence(
            "10 seconds for a handshake",
            "csms/server.py",
            "open_timeout=limits.handshake_s,",
            "open_timeout=None,",
            f"{FLOODS}::test_a_slow_handshake_is_given_up",
        ),
    ),
    "A message that lowers a charger's security": (
        Defence(
            "never sent",
            "csms/v16/outcomes.py",
            '    if int(payload["value"]) < now_at:',
            "    if False:",
            f"{FLOODS}::test_no_message_lowers_a_security_profile",
        ),
    ),
    "Formulas in a CSV": (
        Defence(
            "an apostrophe before them",
            "evapp/web/sheet.py",
            "            *map(harmless, texts),",
            "            *texts,",
            "tests/unit/evapp/web/test_sheet.py::test_no_text_is_a_formula",
        ),
    ),
    "An open redirect through next": (
        Defence(
            "a path of our own, or Home",
            "evapp/web/forms.py",
            r'_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]{0,500}")',
            '_LOCAL = re.compile(r".*")',
            f"{SIGN_IN}::test_whatever_next_is_it_stays_here",
        ),
        Defence(
            "a pay page on PhonePe's hosts alone",
            "payments/shapes.py",
            'if "@" in parts.netloc or not allowed.get(parts.scheme):',
            "if False:",
            "tests/unit/payments/test_phonepe.py::test_a_driver_is_sent_only_to_allowed_hosts",
        ),
    ),
    "An event of a megabyte": (
        Defence(
            "its socket is closed",
            "rxconfig.py",
            'os.environ.setdefault("GRANIAN_WORKERS", "1")',
            'os.environ.setdefault("GRANIAN_WORKERS", "1")\n'
            'os.environ["REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE"] = "10000000"',
            f"{DOORS}::test_an_event_of_a_megabyte_ends_its_own_socket_alone",
        ),
    ),
    "Scripts of others in our pages; our pages in others' frames": (
        Defence(
            "the policy, by hashes",
            "evapp/web/headers.py",
            "script-src 'self'{scripts};",
            "script-src 'self' 'unsafe-inline'{scripts};",
            "tests/unit/evapp/web/test_headers.py::test_every_answer_carries_them",
        ),
        Defence(
            "frame-ancestors",
            "evapp/web/headers.py",
            "form-action 'self'; frame-ancestors 'none'",
            "form-action 'self'",
            "tests/unit/evapp/web/test_headers.py::test_every_answer_carries_them",
        ),
        Defence(
            "money is kept by no cache",
            "evapp/web/headers.py",
            '        return b"no-store"\n',
            '        return b"no-cache"\n',
            "tests/unit/evapp/web/test_headers.py::test_what_a_cache_may_keep",
        ),
    ),
    "Files and figures that nobody needs: the database, the metrics": (
        Defence(
            "the database file is 0600, whoever made it",
            "domain/db.py",
            "        Path(path).chmod(0o600)",
            "        Path(path)",
            "tests/unit/domain/test_db.py::test_a_database_file_is_its_owners_alone_whoever_made_it",
        ),
        Defence(
            "metrics answer on 127.0.0.1",
            "domain/scrape.py",
            'LOOPBACK = "127.0.0.1"',
            'LOOPBACK = "0.0.0.0"',
            "tests/unit/domain/test_scrape.py::test_only_this_machine_is_answered",
        ),
    ),
    "Production with default secrets, simulators, no https, sandbox hosts, an open Redis": (
        Defence(
            "it does not start, and says why",
            "domain/settings.py",
            "            raise SettingsError(*wrong)",
            "            return",
            "tests/unit/domain/test_settings.py::test_production_refuses_what_loses_money_or_opens_the_house",
        ),
        Defence(
            "Redis elsewhere has a password",
            "domain/settings.py",
            "prod and not _is_here(redis.hostname) and not redis.password,",
            "False,",
            "tests/unit/domain/test_settings.py::test_production_refuses_doors_without_a_lock",
        ),
    ),
    "kill -9 in the middle of everything": (
        Defence(
            "an order is due again before it is asked about",
            "domain/recharges.py",
            "        order.due_at = poll_schedule.next_ask(order.created_at, order.expires_at, at) or at + AGAIN\n",
            "        order.due_at = None\n",
            "tests/money/test_recharges.py::test_a_crash_between_taking_and_asking_loses_nothing",
        ),
    ),
}
