"""What goes in and out: the types of fields, and the bodies and answers that several families share."""

import re
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from domain.chargers import ID_FORM, LONGEST_ID
from domain.india import in_our_years
from domain.listings import MOST
from domain.models import now
from domain.tokens import spelling

T = TypeVar("T")

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
MOST_ID = 2**31 - 1
MOST_PAISE = 10**11
"""₹100 crore: more than any one act may move, and far from where sums of 64 bits end."""

# Fields


def _moment(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        if _RFC3339.fullmatch(given):
            return datetime.fromisoformat(given.upper())
    except ValueError:
        pass
    raise ValueError("a time is written as in 2026-12-01T06:00:00Z, with its zone (RFC 3339)")


def _whole(given: Any) -> Any:
    if isinstance(given, str) and not _WHOLE.fullmatch(given):
        raise ValueError("a whole number, in digits")
    return given


def _yes_or_no(given: Any) -> Any:
    if isinstance(given, str) and given not in ("true", "false"):
        raise ValueError("true or false")
    return given


Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(in_our_years)]
"""RFC 3339 with its zone; kept and given in UTC."""
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Id = Annotated[int, Field(ge=1, le=MOST_ID), BeforeValidator(_whole)]
Paise = Annotated[int, Field(ge=1, le=MOST_PAISE)]
_PLAIN = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]"


def text(longest: int, least: int = 0) -> Any:
    """Text on one line, without control characters; a required one begins with something to read."""
    pattern = rf"^[^\s\u0000-\u001f\u007f-\u009f\u2028\u2029]{_PLAIN}*$" if least else f"^{_PLAIN}*$"
    return StringConstraints(max_length=longest, min_length=least or None, pattern=pattern)


ChargerId = Annotated[str, StringConstraints(pattern=f"^{ID_FORM}$", max_length=LONGEST_ID, min_length=1)]
Tag = Annotated[
    str,
    StringConstraints(pattern=r"^[*\-_.:|@=+]*[A-Za-z0-9][A-Za-z0-9*\-_.:|@=+]*$", max_length=20, min_length=1),
    AfterValidator(spelling),
]
Ref = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,20}$")]
Payment = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,63}$")]
"""The id of a recharge or refund, as the payment gateway knows it."""
Group = Annotated[str, text(40, 1)]
Reason = Annotated[str, text(200, 1)]

IN_ADDRESS: dict[str, Any] = {
    "charger_id": ChargerId,
    "ref": Ref,
    "tag": Tag,
    "user_id": Id,
    "order": Payment,
    "refund_id": Payment,
    "finding_id": Id,
    "tariff_id": Id,
}
"""What may stand in the braces of a path."""

# Bodies, filters and answers


class Given(BaseModel):
    """What a caller sends: nothing is guessed, nothing unknown is let pass."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Told(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(from_attributes=True)


class Why(Given):
    """Why it is done; the trail keeps it."""

    reason: Annotated[str, text(200)] = ""


class Because(Given):
    """Why it is done, which must be said."""

    reason: Reason


class Filters(Given):
    """Nothing may be asked. What stands in an address is text, so the types of its fields see to the spelling."""

    model_config = ConfigDict(strict=False)


class Leafing(Filters):
    """Which part of a listing."""

    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = Field(
        None, description="`next` of the part before."
    )
    limit: Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole)] = Field(50, description="How many, at most.")


class Part(Told, Generic[T]):
    """A part of a listing."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"PartOf{params[0].__name__}s" if isinstance(params[0], type) else "Part"

    items: list[T]
    next: str | None = Field(None, description="The `cursor` of the part after this one; null: this was the last.")


class Done(Told):
    """It is done."""

    at: datetime = Field(default_factory=now)
