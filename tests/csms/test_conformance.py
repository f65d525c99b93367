"""The handshake by the cases of the OCA's compliance tool (OCTT 1.6), and how many of its cases are tests that pass.

Written from the numbers and titles of the cases, not with the tool itself.
"""

import re
from pathlib import Path

import pytest

from tests.csms import test_handshake, test_message_set
from tests.csms.conftest import House
from tests.csms.octt import ASKED
from tests.csms.test_conformance_flows import FLOWS
from tests.csms.test_handshake import certificate

__all__ = ["certificate"]

README = Path(__file__).parents[2] / "README.md"
ALL = 77
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ON_SQLITE
async def test_tc_073_a_new_password(house: House) -> None:
    await test_message_set.test_a_new_key_is_handed_over(house, "Accepted")


@ON_SQLITE
async def test_tc_085_basic_authentication(house: House) -> None:
    await test_handshake.test_a_key_may_come_as_hex_or_as_raw_bytes(house)


@ON_SQLITE
async def test_tc_086_and_tc_087_certificates_of_both_sides(database_url: str, certificate: Path) -> None:
    await test_handshake.test_tls_and_client_certificates(database_url, certificate)


@ON_SQLITE
async def test_tc_088_the_subprotocol(house: House) -> None:
    await test_handshake.test_the_subprotocol_is_found_in_any_case_and_list(house)


DOORS = {"TC_073", "TC_085", "TC_086", "TC_087", "TC_088"}


def test_the_readme_says_how_many_pass() -> None:
    passing = len({*ASKED, *FLOWS, *DOORS})
    assert passing <= ALL
    assert f"{passing} of the {ALL} cases" in re.sub(r"\s+", " ", README.read_text(encoding="utf-8"))
