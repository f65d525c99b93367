"""Attacks by and on what drivers are told while evapp is closed."""

from tests.security.attacks.defence import Defence

RULES = "tests/unit/domain/test_push.py"
WAITING = "tests/unit/domain/test_pushes.py"
SENDER = "tests/unit/evapp/web/test_push.py"

ATTACKS: dict[str, tuple[Defence, ...]] = {
    "Our servers made to call into their own network, by the address that a browser gives for its push service": (
        Defence(
            "the host is a listed push service's",
            "domain/push.py",
            'parts is None or not is_listed(parts["host"], settings().push_hosts):',
            "parts is None:",
            f"{RULES}::test_nothing_else_is",
        ),
        Defence(
            "nothing that another reader of addresses could understand in another way",
            "domain/push.py",
            "/[!-\\[\\]-~]*",
            "/[^\\\\n]*",
            f"{RULES}::test_nothing_else_is",
        ),
        Defence(
            "https at its usual port",
            "domain/push.py",
            'here or (parts["scheme"] == "https" and parts["port"] in _USUAL)',
            "True",
            f"{RULES}::test_nothing_else_is",
        ),
        Defence(
            "this machine is called while developing only",
            "domain/push.py",
            "not settings().production and is_here(",
            "is_here(",
            f"{RULES}::test_a_service_on_this_machine_is_for_developing",
        ),
        Defence(
            "it is asked again before each notice",
            "evapp/web/push.py",
            "if not push.is_endpoint(notice.endpoint):",
            "if False:",
            f"{SENDER}::test_a_service_that_is_not_listed_any_more_is_not_called",
        ),
        Defence(
            "no redirect is followed",
            "evapp/web/push.py",
            "follow_redirects=False",
            "follow_redirects=True",
            f"{SENDER}::test_what_becomes_of_a_notice",
        ),
    ),
    "A sender held up by a push service that never ends its answer": (
        Defence(
            "ten seconds for all of it",
            "evapp/web/push.py",
            "asyncio.timeout(ANSWERS_S),",
            "asyncio.timeout(None),",
            f"{SENDER}::test_what_becomes_of_a_notice",
        ),
    ),
    "A driver's sums and whereabouts read by a push service": (
        Defence(
            "what it is handed is sealed for the browser",
            "evapp/web/push.py",
            "content=sealed,",
            "content=body,",
            f"{SENDER}::test_a_payment_that_came_is_told_to_the_browser_alone",
        ),
        Defence(
            "a browser's key is a point on the curve, or half of our secret would be known",
            "domain/push.py",
            "    except ValueError:\n        return False",
            "    except ValueError:\n        return True",
            f"{RULES}::test_what_are_no_keys_is_refused",
        ),
    ),
    "A driver's notices on a device that he signed out, lost or sold": (
        Defence(
            "a browser ends with its sign-in",
            "domain/sign_ins.py",
            "db.exec(delete(PushSubscription).where(col(PushSubscription.sign_in_id).in_([one.id for one in ended])))",
            "pass",
            f"{RULES}::test_a_sign_in_that_ends_takes_its_browser_with_it",
        ),
        Defence(
            "a sign-in that ended by time, or of somebody blocked, is asked about before each notice",
            "domain/pushes.py",
            ", *sign_ins.is_alive(at), col(User.blocked_at).is_(None))",
            ")",
            f"{WAITING}::test_a_browser_whose_sign_in_is_over_is_asked_about_before_each",
        ),
        Defence(
            "what was to be told is its driver's alone, whoever signs in there next",
            "domain/push.py",
            "    db.exec(delete(PushSubscription).where(known, col(PushSubscription.sign_in_id) != sign_in_id))\n",
            "    row = db.exec(select(PushSubscription).where(known)).first()\n"
            "    if row is not None:\n        row.sign_in_id, row.user_id = sign_in_id, user_id\n        db.flush()\n",
            f"{RULES}::test_a_browser_that_is_known_goes_to_whoever_signs_in_there",
        ),
        Defence(
            "a browser in which its driver is signed in until it is closed is told nothing after",
            "domain/push.py",
            "if not sign_ins.is_kept(db.get_one(SignIn, sign_in_id)):",
            "if False:",
            f"{RULES}::test_a_browser_that_is_signed_in_until_it_is_closed_is_told_nothing_after",
        ),
    ),
    "A browser's push address in a log": (
        Defence(
            "its name is a secret's",
            "domain/redaction.py",
            "|^endpoint$|^p256dh$|^auth$",
            "|^p256dh$|^auth$",
            "tests/unit/domain/test_redaction.py::test_a_name_with_the_word_of_a_secret_is_one",
        ),
    ),
}
