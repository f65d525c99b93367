"""Attacks on the house as a whole: its pages, files and settings, and its processes killed."""

from tests.security.attacks.defence import DOORS, FORMS, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
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
            f"{FORMS}::test_whatever_next_is_it_stays_here",
        ),
        Defence(
            "without its language, too",
            "evapp/web/forms.py",
            '        if _LOCAL.fullmatch(page) and not page.startswith("/auth/"):',
            '        if not page.startswith("/auth/"):',
            f"{FORMS}::test_next_never_leads_away",
        ),
        Defence(
            "a pay page on PhonePe's hosts alone",
            "payments/shapes.py",
            'if "@" in parts.netloc or not allowed.get(parts.scheme):',
            "if False:",
            "tests/unit/payments/phonepe/test_create.py::test_a_driver_is_sent_only_to_allowed_hosts",
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
    "Everybody kept waiting for a paper, by one driver who asks for many": (
        Defence(
            "one of a driver is drawn at a time",
            "evapp/web/downloads.py",
            "    async with _turns.setdefault(user_id, asyncio.Lock()), _drawing:",
            "    async with _drawing:",
            "tests/unit/evapp/web/test_downloads.py::test_one_driver_keeps_no_other_waiting_for_his_paper",
        ),
    ),
    "A form that never comes to its end, or breaks off": (
        Defence(
            "10 seconds for a form",
            "evapp/web/forms.py",
            "async with asyncio.timeout(PATIENCE_S):",
            "async with asyncio.timeout(None):",
            f"{FORMS}::test_a_body_that_does_not_come_is_not_waited_for",
        ),
        Defence(
            "it is answered, and leaves no trace in the log",
            "evapp/web/forms.py",
            "    except ClientDisconnect:\n",
            "    except ZeroDivisionError:\n",
            f"{FORMS}::test_a_body_that_breaks_off_is_no_mistake_of_ours",
        ),
    ),
    "Memory and time of everybody, taken by tabs that nobody signed in behind": (
        Defence(
            "a tab's address is kept short",
            "evapp/web/tabs.py",
            "    return {name: _short(told[name]) for name in ROUTER_DATA_INCLUDE & told.keys()}\n",
            "    return told\n",
            "tests/unit/evapp/web/test_tabs.py::test_of_its_address_a_tab_says_what_pages_use_and_no_more",
        ),
        Defence(
            "200 sockets of an address",
            "evapp/web/tabs.py",
            "if self._open[whose] >= SOCKETS or not",
            "if not",
            "tests/unit/evapp/web/test_tabs.py::test_sockets_of_an_address_have_an_end",
        ),
        Defence(
            "400 new ones in a minute",
            "evapp/web/tabs.py",
            "        return self._new[whose] <= NEW_TABS\n",
            "        return True\n",
            "tests/unit/evapp/web/test_tabs.py::test_new_tabs_of_an_address_have_an_end_in_a_minute",
        ),
        Defence(
            "what Reflex kept of a closed one goes within minutes",
            "evapp/web/tabs.py",
            "        states._purge_token(key)\n",
            "        pass\n",
            "tests/unit/evapp/web/test_tabs.py::test_the_state_of_a_strangers_tab_goes_soon_after_it",
        ),
        Defence(
            "of a socket's headers Reflex gets four, and short",
            "evapp/web/handshake.py",
            'for name, value in scope["headers"] if name in HEADERS]',
            'for name, value in scope["headers"] if name != b"cookie"]',
            "tests/unit/evapp/web/test_handshake.py::test_of_a_sockets_headers_reflex_gets_what_it_reads_and_no_more",
        ),
        Defence(
            "the ID of an unknown charger is compared with no other",
            "evapp/state/charger.py",
            "        known = await auth.signed_in(self)\n",
            "        known = True\n",
            "tests/security/test_strangers.py::test_a_charger_that_nobody_knows_is_compared_with_no_other",
        ),
    ),
    "A log filled by one tab's events that no page of ours sends": (
        Defence(
            "what no browser of ours keeps is left out, at which Reflex would raise",
            "evapp/web/tabs.py",
            "if name in ours and len(",
            "if len(",
            "tests/unit/evapp/web/test_tabs.py::test_what_no_browser_of_ours_keeps_is_left_out",
        ),
        Defence(
            "so is an event from an address that none can have",
            "evapp/web/tabs.py",
            " and _is_text(one) for one in",
            " for one in",
            "tests/unit/evapp/web/test_tabs.py::test_an_event_that_cannot_be_ours_is_counted_and_left_out",
        ),
        Defence(
            "they are left out before Reflex logs each with a trace",
            "evapp/web/tabs.py",
            "        if not _is_ours(data):\n",
            "        if not isinstance(data, dict):\n",
            "tests/unit/evapp/web/test_tabs.py::test_an_event_that_cannot_be_ours_is_counted_and_left_out",
        ),
        Defence(
            "a handler that fails says so thirty times a minute",
            "evapp/evapp.py",
            "    if failures.once_more():\n",
            "    if True:\n",
            "tests/security/test_event_surface.py::test_handlers_that_fail_fill_no_log",
        ),
        Defence(
            "a library's logger has thirty lines a minute",
            "domain/logs.py",
            "    handler.addFilter(Sparing())\n",
            "",
            "tests/unit/domain/test_logs.py::test_what_libraries_log_again_and_again_is_counted",
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
            "prod and not is_here(redis.hostname) and not redis.password,",
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
