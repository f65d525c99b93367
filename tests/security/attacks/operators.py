"""Attacks on what operators may: their pages, their trail, and the keys and writes of the REST API."""

from tests.security.attacks.defence import API, OPERATORS, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
    "The operators' pages, by their addresses or by forged events": (
        Defence(
            "for everybody else there is nothing at their addresses",
            "evapp/web/operators.py",
            "or await _is_operator(Request(scope))\n",
            "or True\n",
            "tests/unit/evapp/web/test_operators.py::test_nothing_is_there_for_others",
        ),
        Defence(
            "nor at another spelling of them, which the file server would take",
            "evapp/web/operators.py",
            "    if _is_another_name(path):\n        return False\n",
            "",
            "tests/unit/evapp/web/test_operators.py::test_no_page_has_a_second_address",
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
            "    if pin and open_until(sign_in) is None:",
            "    if False:",
            "tests/unit/evapp/state/test_ops.py::test_without_a_fresh_pin_nothing_is_done",
        ),
        Defence(
            "so does the group of a charger, which is its price",
            "evapp/state/ops_charger.py",
            '        act = Act("charger describe", subject, {**about, "group": other})\n',
            '        act = Act("charger describe", subject, {**about, "group": other}, pin=False)\n',
            "tests/unit/evapp/state/test_ops_charger.py::test_its_group_is_its_price_and_needs_the_pin",
        ),
        Defence(
            "so does putting away a finding, which may warn of money",
            "evapp/state/ops_findings.py",
            "    by = operators.allowed(db, token_hash)\n",
            "    by = operators.allowed(db, token_hash, pin=False)\n",
            "tests/unit/evapp/state/test_ops_findings.py::test_a_finding_is_not_resolved_without_a_fresh_pin",
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
            "tests/unit/evapp/web/test_step_up.py::test_the_pin_opens_changes_under_a_new_token",
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
            "    trail.note(db, trail.user(user.id), what.action, what.subject, what.detail)\n",
            "",
            f"{OPERATORS}::test_the_pin_opens_everything_for_ten_minutes_under_a_new_token",
        ),
        Defence(
            "the trail takes new lines only",
            "alembic/versions/0011_trail.py",
            "    protect()\n\n",
            "\n",
            "tests/unit/domain/test_triggers.py::test_what_was_written_stays_written",
        ),
    ),
    "A key of the REST API: guessed, over, from a stolen database, or beyond its scopes": (
        Defence(
            "wrong ones of an address run out",
            "api/service.py",
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
            "what drivers pay is no charger's description",
            "api/chargers.py",
            'if "tariffs:write" not in ask.scopes and',
            "if False and",
            "tests/unit/api/test_chargers.py::test_a_key_that_sets_no_prices_changes_neither_group_nor_state",
        ),
        Defence(
            "an operator's account and PIN lock are no key's",
            "api/users.py",
            "    if user.role != Role.DRIVER:",
            "    if False:",
            "tests/unit/api/test_users.py::test_a_key_neither_shuts_nor_opens_an_operators_account",
        ),
        Defence(
            "each endpoint asks for its scope",
            "api/service.py",
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
            "api/service.py",
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
}
