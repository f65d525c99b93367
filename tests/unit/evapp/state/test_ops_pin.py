"""Where an operator goes on to once the PIN is given, without browsers."""

from evapp.state.ops_pin import OpsPin
from tests.unit.evapp.state.test_ops import PageOf, page, people, scope

__all__ = ["page", "people", "scope"]


async def test_a_pin_given_for_no_page_leads_to_the_desk(page: PageOf) -> None:
    """Its link is there before the page knows its own address; it led to the driver's home."""
    form = await page(OpsPin)
    await form.load()
    assert form.next_path == ""
