"""Attacks on accounts: PINs guessed, owners locked out, users told apart, sign-ins kept or planted."""

from tests.security.attacks.defence import FORMS, GUESSES, SIGN_IN, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
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
    "Guesses on the cookies of devices, collected by who knew the PIN once": (
        Defence(
            "a new PIN makes strangers of them",
            "domain/attempts.py",
            "    return device.user_id == user.id and hmac.compare_digest(device.pin, pin_mark(user))\n",
            "    return device.user_id == user.id\n",
            f"{SIGN_IN}::test_a_new_pin_ends_the_cookies_of_all_other_devices",
        ),
        Defence(
            "all of an account have an end together",
            "domain/attempts.py",
            "_is_known(user, device) and _of_devices(db, user) < LAST:",
            "_is_known(user, device):",
            "tests/unit/domain/test_attempts.py::test_all_devices_of_an_account_have_an_end_together",
        ),
    ),
    "Locking an owner out by guessing in his name": (
        Defence(
            "a known device has its own counter",
            "domain/attempts.py",
            "if user and device and _is_known(user, device) and",
            "if False and",
            "tests/unit/domain/test_attempts.py::test_a_stranger_cannot_lock_the_owner_out_of_a_known_device",
        ),
        Defence(
            "whose cookie is signed",
            "evapp/web/auth.py",
            '        known = _devices().loads(connection.cookies.get(flash.name(DEVICE), ""))\n',
            '        known = _devices().loads_unsafe(connection.cookies.get(flash.name(DEVICE), ""))[1]\n',
            f"{SIGN_IN}::test_a_device_cookie_cannot_be_made_at_home",
        ),
        Defence(
            "a PIN has its place in the queue before its try is counted",
            "domain/pins.py",
            "    if _queue >= THREADS + WAITING:\n        raise TooBusy\n    _queue += 1\n    mine",
            "    _queue += 1\n    mine",
            f"{GUESSES}::test_a_full_queue_takes_no_tries",
        ),
    ),
    "Everybody kept from signing in, by many tries at once that are refused anyhow": (
        Defence(
            "an address without tries gets no place in the queue",
            "evapp/web/auth.py",
            "    await read(attempts.room, door, address)\n",
            "",
            "tests/unit/evapp/web/test_auth.py::test_who_has_no_tries_left_keeps_no_place_from_others",
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
            f"{FORMS}::test_a_body_without_a_length_is_read_no_further_than_its_limit",
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
            "    user.pin_hash = pin_hash\n    sign_ins.end_all(db, user.id)\n",
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
        Defence(
            "nor is one whose sign-in ended by time",
            "evapp/web/live.py",
            "            self._signed_out(asked - await read(sign_ins.alive, asked))\n",
            "            await read(sign_ins.alive, asked)\n",
            "tests/unit/evapp/web/test_live.py::test_a_tab_whose_sign_in_ended_by_time_is_told_nothing",
        ),
    ),
}
