"""Cards, accounts, addresses of machines.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

CARDS = """
Carte [[4111 1111 1111 1111]]
card [[4111-1111-1111-1111]].
[[4111111111111111]]
[[4111 1111⏎1111 1111]]
[[5425 2334 3010 9903]] et [[3782 822463 10005]]
[[4\u200b111111111111111]]
[[4111 1111 1111 1111]] [[12/27]]
4111 1111 1111 1112
EAN 4006381333931
0000 0000 0000 0000
Visa [[4111 1111 1111 1111]], exp [[12/27]], CVV [[123]]
carte [[2200 1234 1234 1236]]
UnionPay [[6212341234123452]]
[[5061001234567890125]]
Maestro [[6304 0000 0000 0000]]
Ma carte de crédit est la [[4111.1111.1111.1111]]
carte de crédit [[4111 1111 1111 1112]]
[[4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1]]
[[4111–1111–1111–1111]]
card: [[NDExMSAxMTExIDExMTEgMTExMQ==]]
carte : [[41111 11111⏎111111]]
Carte échéance [[09/2028]]
réf. 4111111111111112
"""
IBAN = """
IBAN [[FR76 3000 6000 0112 3456 7890 189]]
[[FR7630006000011234567890189]]
[[fr76 3000 6000 0112 3456 7890 189]] de la banque
[[GB29 NWBK 6016 1331 9268 19]]
[[CH93 0076 2011 6238 5295 7]]
FR76 3000 6000 0112 3456 7890 188
IBAN : [[FR76 3000 6000 0112 3456 7890 188]]
[[DE89 3704 0044 0532 0130 00]]
[[BE68 5390 0754 7034]]
[[MT84 MALT 0110 0001 2345 MTLC AST0 01S]]
[[FR76-3000-6000-0112-3456-7890-189]]
[[FR76 3000 6000 0112⏎3456 7890 189]]
IBAN:[[FR7630006000011234567890189]]
[[RlI3NjMwMDA2MDAwMDExMjM0NTY3ODkwMTg5]]
"""
IP = """
serveur [[10.0.0.1]], de [[192.168.1.10]] à [[10.20.30.40]]
[[2001:db8::ff00:42:8329]] et [[fe80::1]]
http://[[203.0.113.7]]:8080/x
version 1.2.3.4, v10.0.0.1, numpy 1.12.4.0 et 4.10.0.0
127.0.0.1, 0.0.0.0, ::1, 300.1.1.1, 1.2.3.4.5
std::string a::b 12:34:56
[[192[.]168[.]1[.]10]] and [[203 dot 0 dot 113 dot 7]]
[[192.168.1.10]]/24
login from [[8.8.8.8]]
[[192\u200b.168.1.10]]
ping [[2606:4700:4700::1111]]
section 1.2.3.4 du code
"""
MAC = """
[[00:1A:2B:3C:4D:5E]]
[[aa-bb-cc-dd-ee-ff]]
[[0012.3456.789a]]
ff:ff:ff:ff:ff:ff
MAC [[001A2B3C4D5E]]
MAC address: [[00 1A 2B 3C 4D 5E]]
"""

TABLES = [
    (CARDS, ("CREDIT_CARD", "SECRET")),
    (IBAN, ("IBAN_CODE",)),
    (IP, ("IP_ADDRESS",)),
    (MAC, ("MAC_ADDRESS",)),
]


@pytest.mark.parametrize(
    ("case", "entities"), [(case, entities) for table, entities in TABLES for case in cases(table)], ids=repr
)
def test_found(case: Case, entities: tuple[str, ...], spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    spans = spans_in(text)
    assert [text[span.start : span.end] for span in spans] == [text[low:high] for low, high in expected]
    assert [(span.start, span.end) for span in spans] == expected
    assert not entities or {span.entity for span in spans} <= set(entities)
