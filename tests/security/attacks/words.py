"""Attacks by words: in cookies and headers, names, tags and what chargers say, and what of it logs keep."""

from tests.security.attacks.defence import CHARGER, DOORS, SIGN_IN, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
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
            "evapp/web/handshake.py",
            '"query_string": _own_tab(scope["query_string"], token_hash or ""),',
            '"query_string": scope["query_string"],',
            "tests/unit/evapp/web/test_handshake.py::test_the_handshake_hides_the_cookies_and_names_the_sign_in",
        ),
    ),
    "An address made up in X-Forwarded-For": (
        Defence(
            "only as many hops as are trusted",
            "domain/addresses.py",
            "return told[-hops]",
            "return told[0]",
            f"{SIGN_IN}::test_an_address_is_believed_only_from_a_trusted_proxy",
        ),
        Defence(
            "and only from a proxy of ours",
            "domain/addresses.py",
            " or neighbourhood((peer, 0), proxies):",
            ":",
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
            'return name if _USERNAME.fullmatch(name) else ""',
            "return name",
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
    "Words of a stranger on the page where one signs in, by a link to it": (
        Defence(
            "only what may be a charger's ID is repeated",
            "evapp/state/sign_in.py",
            ' if chargers.IDENTITY.fullmatch(typed) else ""',
            "",
            "tests/unit/evapp/state/test_sign_in.py::test_words_that_are_no_chargers_id_are_not_repeated",
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
            "also in JSON within a text, as the data of a DataTransfer",
            "domain/redaction.py",
            'if value.lstrip()[:1] in ("{", "[") else text(value)',
            "if False else text(value)",
            "tests/unit/csms/test_journal.py::test_the_value_of_a_secret_is_hidden_in_json_within_a_text",
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
            "json.dumps(hidden(detail),",
            "json.dumps(detail,",
            "tests/unit/api/test_chargers.py::test_what_a_charger_is_told_in_secret_is_not_in_the_trail",
        ),
    ),
}
