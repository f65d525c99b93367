"""Attacks at the chargers' door: identities, keys, floods, and messages that lie."""

from tests.security.attacks.defence import CHARGER, FLOODS, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
    "A charger's id with .., NUL or 5 kB": (
        Defence(
            "48 letters, digits and * + - _ . :",
            "domain/chargers.py",
            'IDENTITY = re.compile(rf"(?!.{{{LONGEST_ID + 1}}}){ID_FORM}")',
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
            "nor with the certificate of another",
            "csms/server.py",
            "            await self._must_be_certified(socket, charger_id)\n",
            "",
            "tests/csms/test_handshake.py::test_a_certificate_lets_in_its_own_charger_alone",
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
        Defence(
            "without a key of its own a handshake fills nobody's name, and its address has an end",
            "csms/server.py",
            "UNTRIED = (handshake.NoIdentity, handshake.NoCredentials",
            "UNTRIED = (handshake.NoIdentity",
            f"{FLOODS}::test_a_foreign_user_in_the_header_is_throttled_and_fills_nobodys_name",
        ),
        Defence(
            "a charger that nobody knows yet is looked at while its name is guessed under",
            "csms/limits.py",
            "        return self._limits.wrong_of_charger + strangers\n",
            "        return self._limits.wrong_of_charger\n",
            f"{FLOODS}::test_a_full_name_lets_who_comes_from_elsewhere_try_a_key",
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
    "Findings without end, by ever new stops of one charger": (
        Defence(
            "beyond fifty that wait, one counts the rest",
            "domain/stops.py",
            ' or findings.waiting(db, "orphan-stop", f"{charger_id}:") < ORPHANS:',
            " or True:",
            "tests/money/test_stops.py::test_the_orphans_of_one_charger_have_an_end",
        ),
    ),
    "Findings without end, by ever new alarms or requests for certificates of one charger": (
        Defence(
            "beyond fifty that wait, one counts the rest",
            "domain/safety.py",
            " or findings.waiting(db, finding, beginning) < WAITING:",
            " or True:",
            "tests/unit/domain/test_safety.py::test_alarms_of_one_charger_have_an_end",
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
    "OCPP messages of 2 MB": (
        Defence(
            "1 MiB",
            "csms/server.py",
            "max_size=LARGEST_FRAME,",
            "max_size=None,",
            "tests/csms/test_messages.py::test_two_megabytes_are_no_message",
        ),
    ),
    "Endless fragments": (
        Defence(
            "4,000 a message",
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
}
