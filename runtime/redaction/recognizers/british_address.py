"""British addresses, known by their postcode: "24 Quarry Bank, Huddersfield HD3 4QN", "The Old Forge, Bibury GL7 5NR".

The postcode's form and area are Royal Mail's (124 areas). From it the address is read backwards over its parts,
capitals between commas or line ends, to the number of the house, or to its name. A postcode that no such part leads
to counts where the words before speak of one. Streets that show their kind are found by `street_address.py` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.locality import is_known_town

_AREAS = word_set(
    """
    ab al b ba bb bd bh bl bn br bs bt ca cb cf ch cm co cr ct cv cw da dd de dg dh dl dn dt dy e ec eh en ex fk fy g
    gl gu gy ha hd hg hp hr hs hu hx ig im ip iv je ka kt kw ky l la ld le ll ln ls lu m me mk ml n ne ng nn np nr nw ol
    ox pa pe ph pl po pr rg rh rm s sa se sg sk sl sm sn so sp sr ss st sw sy ta td tf tn tq tr ts tw ub w wa wc wd wf
    wn wr ws wv yo ze
    """
)
_CODE = re.compile(r"(?<![\w-])([A-Z]{1,2})[0-9][0-9A-HJKMNPR-Y]? [0-9][ABD-HJLNP-UW-Z]{2}(?![\w-])")
_NAME = r"[A-Z][a-z'’]{1,24}(?:-(?:[a-z]{1,6}-)?[A-Za-z]{2,24})?\.?"
_PART = (
    rf"(?:{_NAME}|[A-Z]{{2,16}})(?: (?:(?:of|the|on|upon|le|in|and|&|y|by) ){{0,2}}(?:{_NAME}|[A-Z]{{2,16}})){{0,4}}"
)
_CIVIC = r"[0-9]{1,4}[A-Za-z]?(?:-[0-9]{1,4})?,? "
_FLAT = r"(?:Flat|FLAT|Unit|UNIT|Apartment|APARTMENT|APT|Apt|Suite|SUITE|Room|ROOM|Plot)"
_NUMBER = rf"(?:{_FLAT} [0-9A-Z]{{1,5}},? (?:{_CIVIC})?|{_CIVIC})"
_LEAD = r"(?:[0-9]{1,4}[A-Za-z]? |by |near |nr\.? )?"
_ON = rf"(?:(?:\.?,\s{{1,2}}|\s?\n\s?){_LEAD}{_PART}){{0,5}}(?:,\s{{0,2}}|\s{{1,2}}|\s?\n\s?)$"
_NUMBERED = re.compile(rf"(?<![\w£$€.,/-]){_NUMBER}{_PART}{_ON}")
_NAMED = re.compile(rf"(?<![\w£$€.,/-]){_PART}{_ON}")
_HOUSE = re.compile(
    rf"(?<!\w)(?:The {_NAME}(?: {_NAME}){{0,2}}|{_NAME}(?: {_NAME})? (?:House|Court|Lodge|Cottage|Hall|Manor|Farm|"
    r"Barn|Mill|Mansions|Buildings|Wharf|Tower|Towers)),\s$"
)
_REACH = 140
_LED = re.compile(r"[,:\n(]\s{0,2}$")  # what was cut off from a code ends so
_MEASURES = frozenset({"GB", "TB", "MB", "KB", "HP", "PS", "ND", "RD", "ST", "TH", "PD"})
_SAID = re.compile(r"(?<!\w)(?:post ?code|postal code|address|deliver\w*|live[sd]?|lives at)[^.!?\n]{0,24}$")


class BritishAddress(Identifier):
    """Addresses that end with a British postcode, and such postcodes alone."""

    ENTITY = "STREET_ADDRESS"
    LEAST_DIGITS = 2

    def applies(self, run: Run) -> bool:
        return bool(run.words)

    def find(self, run: Run) -> Iterator[Hit]:
        for code in _CODE.finditer(run.text):
            if code[1].lower() not in _AREAS or code[0][-2:] in _MEASURES:
                continue
            low = max(0, code.start() - _REACH)
            before = run.text[low : code.start()]
            lead = _NUMBERED.search(before) or _in_parts(before)
            if lead is not None:
                if house := _HOUSE.search(before, 0, lead.start()):
                    lead = house
                yield Hit(low + lead.start(), code.end(), 0.97, "british")
            elif _SAID.search(run.before(code.start())) or _LED.search((run.left + run.text[: code.start()])[-4:]):
                yield Hit(code.start(), code.end(), 0.8, "british_code")


def _in_parts(before: str) -> re.Match[str] | None:
    """Names with commas or line ends between them, or a larger town: "The Old Forge, Church Lane, Bibury"."""
    lead = _NAMED.search(before)
    if lead is None or "," in lead.group() or "\n" in lead.group().rstrip():
        return lead
    return lead if is_known_town(lead.group().strip().lower(), 0, len(lead.group().strip())) else None
