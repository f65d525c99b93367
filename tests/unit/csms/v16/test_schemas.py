"""The `ocpp` package's schemas, as we use them."""

from csms.v16 import V16
from csms.v16.schemas import CALLABLE, flaw, schema
from csms.v16.setup import WISHES


def test_every_message_has_its_schemas() -> None:
    for action in (*CALLABLE, *V16.handlers):
        assert schema(action)["type"] == "object"
        assert schema(f"{action}Response")["type"] == "object"
    assert V16.forgiving <= set(V16.handlers)


def test_every_type_a_charger_sends_can_be_mended() -> None:
    """`csms.repairs` knows objects, lists, texts and whole numbers."""

    def types(part: dict[str, object]) -> set[object]:
        inner = [*dict(part.get("properties") or {}).values(), *([part["items"]] if "items" in part else [])]  # type: ignore[call-overload]
        return {part["type"]}.union(*(types(one) for one in inner))

    for action in V16.handlers:
        assert types(schema(action)) <= {"object", "array", "string", "integer"}


def test_one_decimal_is_one_decimal() -> None:
    for tenth in range(1000):
        period = [{"startPeriod": 0, "limit": tenth / 10}]
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": period}
        assert flaw("GetCompositeScheduleResponse", {"status": "Accepted", "chargingSchedule": schedule}) == ""
    assert flaw("GetCompositeScheduleResponse", {"status": "Perhaps"})


def test_what_is_set_after_a_boot_fits_what_is_wished() -> None:
    for wish in WISHES:
        assert wish.fits(wish.values[0]), wish.key
        assert flaw("ChangeConfiguration", {"key": wish.key, "value": wish.values[0]}) == ""
