"""Attacks on money: webhooks, amounts, and the same wish many times at once."""

from tests.security.attacks.defence import WEBHOOK, Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
    "A webhook without our credentials": (
        Defence(
            "their digest, compared in constant time",
            "payments/phonepe.py",
            "if not self._bell or not hmac.compare_digest(given, self._bell):",
            "if not self._bell:",
            f"{WEBHOOK}::test_foreign_credentials_are_refused_and_ask_nobody",
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
            "    accounts = lock(db, postings)\n    if known := posted(",
            "    accounts = lock(db, postings)\n    if known := None and posted(",
            "tests/unit/domain/test_wallet.py::test_the_same_key_gives_the_first_transfer",
        ),
        Defence(
            "20 rows an order",
            "domain/evidence.py",
            "if len(db.exec(rings.limit(RINGS)).all()) < RINGS:",
            "if rings is not None:",
            f"{WEBHOOK}::test_a_thousand_different_rings_with_captured_credentials",
        ),
        Defence(
            "20 waiting an order",
            "evapp/web/checkout.py",
            "if order_id is not None and _under_way[order_id] < RINGS_AT_ONCE:",
            "if order_id is not None:",
            f"{WEBHOOK}::test_a_thousand_different_rings_with_captured_credentials",
        ),
    ),
    "A webhook of 50 MB, or nested deeply": (
        Defence(
            "no more than 64 KiB are read",
            "evapp/web/checkout.py",
            "        if len(body) > LARGEST:\n            return None\n",
            "",
            f"{WEBHOOK}::test_fifty_megabytes_take_no_memory",
        ),
        Defence(
            "nesting is a refusal",
            "payments/shapes.py",
            "except (ValueError, RecursionError) as error:",
            "except ValueError as error:",
            f"{WEBHOOK}::test_whatever_rings_changes_nothing",
        ),
    ),
    "A flood of forged webhooks": (
        Defence(
            "30 a minute and address are answered and logged",
            "evapp/web/checkout.py",
            "return self._counted[address] > REFUSALS_A_MINUTE",
            "return False",
            f"{WEBHOOK}::test_a_flood_of_foreign_credentials_is_cut_short_by_address",
        ),
    ),
    "PhonePe asked without end by whoever comes back from it": (
        Defence(
            "once in ten seconds for strangers, and once for the owner",
            "evapp/web/checkout.py",
            "        if (order_id, owns) in self._asked:\n            return False\n",
            "",
            "tests/unit/evapp/web/checkout/test_return.py::test_whoever_comes_back_again_asks_no_more",
        ),
        Defence(
            "too often is no silence: others may pay",
            "domain/funnel.py",
            "    except (GatewayRefused, GatewayBusy):",
            "    except GatewayRefused:",
            "tests/money/test_silent_gateway.py::test_a_gateway_that_is_asked_too_often_is_there",
        ),
    ),
    'Amounts: 499.99, 499.999, -500, 0, 1e309, NaN, "500,00", 10^12, Devanagari digits': (
        Defence(
            "one parser, ASCII digits",
            "domain/money.py",
            r'_TYPED = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")',
            r'_TYPED = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?")',
            "tests/unit/domain/test_money.py::test_anything_else_is_refused_in_a_sentence",
        ),
        Defence(
            "the least and the most, in the domain",
            "domain/placing.py",
            "    _refuse_amount(amount_paise)\n",
            "",
            "tests/money/test_placing.py::test_less_than_500_or_no_whole_number_is_refused",
        ),
    ),
    "50 starts at once with money for one": (
        Defence(
            "one open charge a driver",
            "domain/wishes.py",
            "if running := sessions.open_of(db, user_id):",
            "if False and (running := sessions.open_of(db, user_id)):",
            "tests/money/test_charging_at_once.py::test_50_wishes_of_one_driver_are_one_hold",
        ),
    ),
    "200 clicks on Recharge with one nonce": (
        Defence(
            "a nonce is one order",
            "domain/placing.py",
            "        return known\n",
            "        nonce = secrets.token_hex(16)\n",
            "tests/money/test_placing.py::test_200_clicks_at_once_are_one_order",
        ),
    ),
}
