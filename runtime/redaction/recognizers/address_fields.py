"""What stands in a field for addresses, whatever it looks like: "Address on file: 3 Bobolink", `"adresse": "…"`.

From the label to the end of the line, the cell or the string. Addresses that show what they are, wherever they stand,
are for `street_address.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Run

_LABEL = re.compile(
    r"(?<![\w@])(?:(?:home|mailing|postal|street|civic|billing|shipping|delivery|residential|current|permanent|return|"
    r"new|old|full|work|legal|patient|client|customer|residence|his|her|my|the|complete) ?)?"
    r"(?<!mail )(?<!mac )(?<!ip )(?<!web )(?<!url )(?:address|addr|adresse|adr|street|rue)"
    r"(?: (?:on file|line ?[12]|[12]|name|number|postale|civique|complete|actuelle|permanente|personnelle|principale|"
    r"au dossier|"
    r"(?:du |de |de la |de l')?(?:domicile|livraison|facturation|retour|residence|client|patient|correspondance)))?"
    r"(?:[\"']?\s?[:=>]\s?[\"']?|\.\s?:\s?)"
)
_VALUE = re.compile(
    r"(?=[^\n\"<>|;\t]{0,80}[0-9])(?=[^\n\"<>|;\t]{0,80}[^\W\d_]{3})(?:[0-9#]|[A-ZÀ-Þ])[^\n\"<>|;\t@=]{5,120}"
)
_ENDS = re.compile(
    r"[\s,(]{1,3}(?:tel|phone|courriel|email|e-mail|fax|cell|dob|ddn|nas|sin|ssn|nee?|born|since|depuis)(?!\w)|"
    r"(?<=[^\W\d_]{4})[.] |(?<=[a-z][0-9])[.] | / | - (?=[^\W\d_]{4})|&(?=\w{1,24}=)"
)
_MACHINE = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]|://|(?:[0-9a-f]{2}[:-]){3}|[0-9a-fx]{8,}")


def fields(run: Run) -> Iterator[Hit]:
    """The values of such fields that begin in the run: with a digit, and with words."""
    left = run.before(0, 64)
    for field in _LABEL.finditer(left + run.lower):
        start = field.end() - len(left)
        if start < 0 or (value := _VALUE.match(run.text, start)) is None:
            continue
        ends = _ENDS.search(run.lower, start, value.end() + 1)
        end = min(ends.start(), value.end()) if ends else value.end()
        inside = run.text[start:end].strip()
        if " " in inside and any(map(str.isdigit, inside)) and not _MACHINE.search(run.lower, start, end):
            yield Hit(start, end, 0.6, "field")
