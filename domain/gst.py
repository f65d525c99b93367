"""How India's tax on goods and services names states, and who is registered for it."""

import re

STATES = {
    "01": "Jammu and Kashmir",
    "02": "Himachal Pradesh",
    "03": "Punjab",
    "04": "Chandigarh",
    "05": "Uttarakhand",
    "06": "Haryana",
    "07": "Delhi",
    "08": "Rajasthan",
    "09": "Uttar Pradesh",
    "10": "Bihar",
    "11": "Sikkim",
    "12": "Arunachal Pradesh",
    "13": "Nagaland",
    "14": "Manipur",
    "15": "Mizoram",
    "16": "Tripura",
    "17": "Meghalaya",
    "18": "Assam",
    "19": "West Bengal",
    "20": "Jharkhand",
    "21": "Odisha",
    "22": "Chhattisgarh",
    "23": "Madhya Pradesh",
    "24": "Gujarat",
    "26": "Dadra and Nagar Haveli and Daman and Diu",
    "27": "Maharashtra",
    "29": "Karnataka",
    "30": "Goa",
    "31": "Lakshadweep",
    "32": "Kerala",
    "33": "Tamil Nadu",
    "34": "Puducherry",
    "35": "Andaman and Nicobar Islands",
    "36": "Telangana",
    "37": "Andhra Pradesh",
    "38": "Ladakh",
}
"""States and union territories by the two digits with which a GSTIN begins."""
_UNION = (
    "Chandigarh",
    "Dadra and Nagar Haveli and Daman and Diu",
    "Lakshadweep",
    "Andaman and Nicobar Islands",
    "Ladakh",
)
"""Union territories without an assembly, which have the Union's tax beside CGST (UTGST Act, section 2(8))."""
_GSTIN = re.compile(r"([0-9]{2})[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][A-Z][0-9A-Z]")
"""State, PAN, number of the registration, kind, check character."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_state(name: str) -> bool:
    """Whether a state or union territory is called so, in any case."""
    return name.strip().casefold() in {state.casefold() for state in STATES.values()}


def is_of_state(number: str, state: str) -> bool:
    """Whether a GSTIN is of the state or union territory of this name, in any case."""
    return STATES.get(number[:2], "").casefold() == state.strip().casefold()


def is_gstin(number: str) -> bool:
    """Whether it has the form of a GSTIN, and no slip of the pen; whose it is, only the tax office knows."""
    match = _GSTIN.fullmatch(number)
    return match is not None and match[1] in STATES and _check_character(number) == number[-1]


def beside_cgst(state: str) -> str:
    """What the tax beside CGST is called in the state or union territory of this name, in any case."""
    return "UTGST" if state.strip().casefold() in {name.casefold() for name in _UNION} else "SGST"


def state_of(number: str) -> str:
    """The state or union territory in which a GSTIN is registered."""
    return STATES[number[:2]]


def _check_character(number: str) -> str:
    """What stands last in a GSTIN: Luhn's sum, modulo 36, of the 14 characters before it."""
    products = (_DIGITS.index(sign) * (1 + place % 2) for place, sign in enumerate(number[:14]))
    return _DIGITS[-sum(product // 36 + product % 36 for product in products) % 36]
