"""A balance in words: what stands beside the figure."""

from domain import history, tariffs
from domain.db import read
from domain.models import now
from domain.prices import affordable_wh
from domain.settings import settings
from evapp.components.money import kwh, rupees, whole_rupees
from evapp.texts import t


async def reach(user_id: int, paise: int) -> str:
    """How much energy a balance is good for now, at the price the driver paid last, or at the common one where he has
    not charged yet; empty where that is nothing."""
    last = await read(history.last_price, user_id)
    if not paise:
        return _empty(first=last is None)
    price = await read(tariffs.common, now()) if last is None else last
    if price.free:
        return ""
    energy = kwh(affordable_wh(price, paise, 0, now()), 0)
    if last is None:
        return t("about {energy} kWh", energy=energy)
    return t("about {energy} kWh at your last price", energy=energy)


def _empty(*, first: bool) -> str:
    if first:
        return t("Add {least} to start your first charge", least=whole_rupees(settings().recharge_min_paise))
    return t("Add money to charge again")


def owed(paise: int) -> str:
    """What is paid before anything else; empty for nothing."""
    return t("You owe {sum}. It is taken first when you add money.", sum=rupees(paise)) if paise else ""


def set_aside(paise: int) -> str:
    """What a charge holds; empty for nothing."""
    return t("{sum} set aside for a charge", sum=rupees(paise)) if paise else ""
