"""Identifiers as the corpus needs them: each value valid by its public rule, written in one of the split's ways.

`IDENTIFIERS` maps the name of a slot to the kind of its label and to how a value is drawn. Numbers are drawn at random
in their ranges; that one belongs to somebody is chance.
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Callable

from bench.pii.checks import belgian, iban, luhn, rib
from bench.pii.people import Cast, day, written_date
from bench.pii.source import Draw

Make = Callable[[Draw], str]


def _listed(key: str) -> Make:
    return lambda draw: draw.some(key)


def _written(key: str, characters: Callable[[Draw], str]) -> Make:
    return lambda draw: draw.written(key, characters(draw))


def _person(derive: str) -> Make:
    return lambda draw: str(getattr(Cast(draw.lists.split, draw.random).person("0"), derive)(draw))


def _na_phone(draw: Draw) -> str:
    exchange = draw.random.choice([n for n in range(220, 990) if n % 100 != 11 and n != 555])
    return f"{draw.pick('area_code')}{exchange}{draw.digits(4)}"


def _foreign_phone(draw: Draw) -> str:
    return draw.some("phone_foreign")


def _sin(draw: Draw) -> str:
    return luhn(f"{draw.random.choice('123456729')}{draw.digits(7)}")


def _card(draw: Draw) -> str:
    prefix, length = draw.some("card").split(":")
    return luhn(prefix + draw.digits(int(length) - 1 - len(prefix)))


def _transit(draw: Draw) -> str:
    return f"{draw.random.randint(1, 9)}{draw.digits(4)}"


def _account(draw: Draw) -> str:
    return draw.digits(draw.random.choice((7, 7, 7, 12)))


def _bank(draw: Draw) -> str:
    known = {"transit": _transit(draw), "account": _account(draw)}
    return draw.expand(draw.pick("bank_line"), known)


def _siren(draw: Draw) -> str:
    return luhn(f"{draw.random.choice('345789')}{draw.digits(7)}")


def _siret(draw: Draw) -> str:
    return luhn(f"{_siren(draw)}000{draw.random.randint(1, 9)}")


def _neq(draw: Draw) -> str:
    return f"{draw.random.choice(('11', '22', '33', '88'))}{draw.random.choice('4567')}{draw.digits(7)}"


def _gst(draw: Draw) -> str:
    return f"{luhn(draw.random.choice('178') + draw.digits(7))}000{draw.random.randint(1, 3)}"


def _qst(draw: Draw) -> str:
    return f"1{draw.random.choice('02')}{draw.digits(8)}000{draw.random.randint(1, 3)}"


def _ssn(draw: Draw) -> str:
    area = draw.random.choice([n for n in range(1, 733) if n != 666])
    return f"{area:03d}{draw.random.randint(1, 99):02d}{draw.random.randint(1, 9999):04d}"


def _itin(draw: Draw) -> str:
    group = draw.random.choice([*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)])
    return f"9{draw.digits(2)}{group}{draw.digits(4)}"


def _iban(draw: Draw) -> str:
    country = draw.pick("iban_country")
    if country in {"FR", "MC"}:
        bban = rib(draw.pick("fr_bank"), draw.digits(5), draw.expand(draw.random.choice(("<d11>", "<d7><U1><d3>"))))
    elif country == "BE":
        bban = belgian(f"{draw.random.randint(1, 9)}{draw.digits(9)}")
    else:
        patterns = {"DE": "<d18>", "CH": "00<d3><d12>", "LU": "<d3><d13>", "GB": "<L4><d14>", "NL": "<L4><d10>"}
        bban = draw.expand(patterns[country])
    whole = iban(country, bban)
    grouped = " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))
    return draw.random.choice((grouped, grouped, whole))


def _ipv4(draw: Draw) -> str:
    first = draw.random.choice([n for n in range(11, 223) if n not in {127, 169, 172, 192}])
    return f"{first}." + ".".join(str(draw.random.randint(1, 254)) for _ in range(3))


def _ipv6(draw: Draw) -> str:
    kept = draw.random.choice((2, 3, 7))  # groups after the prefix; zeros stand for the rest
    groups = [draw.pick("ipv6_prefix"), *(draw.chars("h", 4) for _ in range(kept)), *["0"] * (7 - kept)]
    return str(ipaddress.IPv6Address(":".join(groups)))


def _birth(draw: Draw) -> str:
    return written_date(draw, day(draw.random, 1931, 2014), "birth_date")


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _jwt(draw: Draw) -> str:
    claims = {"sub": draw.digits(8), "iat": 1_700_000_000 + draw.random.randint(0, 10**8), "scope": draw.pick("scope")}
    return f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}.{draw.chars('b', 43)}"


def _private_key(draw: Draw) -> str:
    title = draw.pick("key_title")
    lines = [draw.chars("B", 64) for _ in range(draw.random.randint(1, 3))]
    edge = "-" * 5
    body = "\n".join([*lines, draw.chars("B", 38) + "=="])
    return f"{edge}BEGIN {title}{edge}\n{body}\n{edge}END {title}{edge}"


def _french_phone(draw: Draw) -> str:
    return f"{draw.random.choice('123456679')}{draw.random.choice('347')}{draw.digits(7)}"


IDENTIFIERS: dict[str, tuple[str, Make]] = {
    "email": ("EMAIL", _person("email")),
    "phone": ("PHONE", _written("phone", _na_phone)),
    "phone_fr": ("PHONE", _written("phone_french", _french_phone)),
    "phone_int": ("PHONE", _foreign_phone),
    "sin": ("SIN", _written("sin", _sin)),
    "ramq": ("RAMQ", _person("ramq")),
    "neq": ("NEQ", _written("neq", _neq)),
    "licence": ("DRIVER_LICENCE", _person("licence")),
    "gst": ("TAX_NUMBER", _written("gst", _gst)),
    "qst": ("TAX_NUMBER", _written("qst", _qst)),
    "passport_ca": ("PASSPORT", _listed("passport_ca")),
    "passport_fr": ("PASSPORT", _listed("passport_fr")),
    "bank": ("BANK_ACCOUNT", _bank),
    "transit": ("BANK_ACCOUNT", _transit),
    "account": ("BANK_ACCOUNT", _account),
    "plate_qc": ("PLATE", _listed("plate_qc")),
    "plate_on": ("PLATE", _listed("plate_on")),
    "plate_fr": ("PLATE", _listed("plate_fr")),
    "nir": ("NIR", _person("nir")),
    "siren": ("SIREN", _written("siren", _siren)),
    "siret": ("SIRET", _written("siret", _siret)),
    "id_card": ("FR_ID_CARD", _listed("id_card")),
    "ssn": ("SSN", _written("ssn", _ssn)),
    "itin": ("ITIN", _written("ssn", _itin)),
    "iban": ("IBAN", _iban),
    "card": ("CARD", _written("card_way", _card)),
    "birth": ("BIRTH_DATE", _birth),
    "ipv4": ("IP", _ipv4),
    "ipv6": ("IP", _ipv6),
    "mac": ("MAC", _listed("mac")),
    "login": ("URL_CREDENTIAL", _listed("login")),
    "key": ("SECRET", _listed("api_key")),
    "key_aws": ("SECRET", lambda draw: draw.chars("B", 40)),
    "jwt": ("SECRET", _jwt),
    "private_key": ("SECRET", _private_key),
    "password": ("PASSWORD", _listed("password")),
    "employee": ("RECORD_NUMBER", _listed("employee")),
    "patient": ("RECORD_NUMBER", _listed("patient")),
    "file": ("RECORD_NUMBER", _listed("file")),
    "policy": ("RECORD_NUMBER", _listed("policy")),
    "address": ("ADDRESS", _listed("address")),
    "address_qc": ("ADDRESS", _listed("address_qc")),
    "address_ca": ("ADDRESS", _listed("address_ca")),
    "address_fr": ("ADDRESS", _listed("address_fr")),
    "address_us": ("ADDRESS", _listed("address_us")),
    "street": ("ADDRESS", _listed("street_line")),
    "box": ("ADDRESS", _listed("box")),
    "postal": ("POSTAL_CODE", _listed("postal")),
}  # fmt: skip
