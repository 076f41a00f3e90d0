"""Numbers that only the words before them make personal.

Licences, passports, accounts, files, employees, patients, plates: one table of entity, label, value and check. A value
counts only right after its label, so that order numbers, ISBN and versions stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from runtime.redaction.recognizers.base import SEP, Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import luhn

# "numéro de dossier : ", "passport no. "; one adjective may stand between
_AFTER_LABEL = (
    r"(?: (?:personnel|permanent|bancaire|actuel|current|new|nouveau|canadien|canadian|français|french))?"
    r"(?: ?(?:no|nos|num[ée]ros?|numbers?|num|nr|n[°º]|id|code|#)\.?)?(?: (?:est|is|was|de|du|d'|of|le|"
    r"la))?[ .:#=°()\n\-]{0,4}$"
)
_EXPLICIT = re.compile(r"(?:[:#=°]|\b(?:no|nos|num[ée]ros?|numbers?|num|nr|id|code)\b)[^\w]*$")
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:[-/](?:(?:19|20)?[0-9]{2}))?")
_LINE_BREAK = re.compile(r"\n\s*")
_GROUPS_OF_3 = rf"[0-9]{{3}}{SEP}[0-9]{{3}}{SEP}[0-9]{{3}}"
_REFERENCE = r"[A-Z]{0,4}[\-/#]?[0-9](?:[\-/.]?[A-Z0-9]| (?=[0-9])){2,15}"


class Rule(NamedTuple):
    """What a labelled number looks like. `check` sees the value without separators, in capitals."""

    entity: str
    stems: tuple[str, ...]  # one of these must be there for the rule to be worth trying
    label: re.Pattern[str]
    value: re.Pattern[str]
    check: Callable[[str], bool]


def _rule(
    entity: str, stems: str, labels: str, value: str, check: Callable[[str], bool] = lambda compact: len(compact) > 0
) -> Rule:
    """`labels` are alternatives; a line break in them does not count."""
    label = _LINE_BREAK.sub("", labels)
    return Rule(
        entity,
        tuple(stems.split()),
        re.compile(rf"(?<!\w)(?:{label}){_AFTER_LABEL}"),
        re.compile(rf"(?<![A-Za-z0-9])(?:{value})(?![A-Za-z0-9])", re.IGNORECASE),
        check,
    )


def _mixed(compact: str) -> bool:
    return any(c.isdigit() for c in compact) and any(c.isalpha() for c in compact)


RULES = (
    _rule(
        "CA_NEQ", "neq entreprise enterprise",
        r"neq|num[ée]ro d'entreprise(?: du qu[ée]bec)?|entreprise du qu[ée]bec|enterprise number",
        rf"(?:11|22|33|88)[0-9]{{2}}{SEP}[0-9]{{3}}{SEP}[0-9]{{3}}",
    ),
    _rule(
        "CA_DRIVER_LICENSE", "permis licen saaq",
        r"permis(?: de conduire| de conduite)?|driver'?s?'? licen[cs]e|licen[cs]e|saaq",
        rf"[A-Z][0-9]{{4}}{SEP}[0-9]{{5,6}}{SEP}[0-9]{{2,5}}|[A-Z][0-9]{{12,14}}",
    ),
    _rule(
        "PASSPORT", "passeport passport", r"passeports?|passports?",
        r"[A-Z]{2} ?[0-9]{6}|[0-9]{2} ?[A-Z]{2} ?[0-9]{5}|[A-Z] ?[0-9]{8}|[0-9]{9}|[A-Z][0-9]{6}[A-Z]{2}",
    ),
    _rule(
        "FR_ID_CARD", "identit cni card", r"carte (?:nationale )?d'identit[ée]|cni|identity card|id card",
        r"[0-9]{12}|(?=[A-Z0-9]{0,8}[0-9])[A-Z0-9]{9}",
    ),
    _rule("FR_SIRET", "siret", "siret", rf"{_GROUPS_OF_3}{SEP}[0-9]{{5}}", luhn),
    _rule("FR_SIREN", "siren rcs", r"siren|rcs(?: [\w-]{2,20})?", _GROUPS_OF_3, luhn),
    _rule(
        "CA_TAX_NUMBER", "tps gst hst tvh business bn fédéral federal",
        r"tps|gst|hst|tvh|business number|bn|num[ée]ro d'entreprise f[ée]d[ée]ral",
        rf"{_GROUPS_OF_3}(?: ?RT ?[0-9]{{4}})?",
    ),
    _rule(
        "CA_TAX_NUMBER", "tvq qst", "tvq|qst",
        rf"(?:[0-9]{{10}}|[0-9]{{4}}{SEP}[0-9]{{3}}{SEP}[0-9]{{3}})(?: ?TQ ?[0-9]{{4}})?",
    ),
    _rule("BANK_ACCOUNT", "transit succursale", r"transit|succursale", r"[0-9]{5}"),
    _rule("BANK_ACCOUNT", "institution", "institution", r"[0-9]{3}"),
    _rule(
        "BANK_ACCOUNT", "transit succursale institution folio compte account routing aba rib sort",
        r"""transit|succursale|institution|folio|comptes?(?: bancaire| de banque| ch[èe]que)?|
            (?:bank |chequing |savings |checking )?accounts?|routing|aba|rib|sort code""",
        r"[0-9]{5}[ \-][0-9]{3}(?:[ \-][0-9]{5,12})?|[0-9]{3}[ \-][0-9]{5}[ \-][0-9]{7,12}|[0-9](?:[ \-]?[0-9]){6,26}",
    ),
    _rule(
        "LICENSE_PLATE", "plaque plate immatricul registration",
        r"""(?:plaques?|license plates?|licence plates?|plates?|immatriculations?|immatricul[ée]e?|registration)
            (?: (?:d'immatriculation|min[ée]ralogique))?""",
        r"[A-Z]{1,3}[ \-]?[0-9]{2,4}[ \-]?[A-Z]{0,3}|[0-9]{1,4}[ \-]?[A-Z]{2,3}[ \-]?[0-9]{0,3}|"
        r"[A-Z][0-9]{2}[ \-]?[A-Z]{3}",
        _mixed,
    ),
    _rule("ID_NUMBER", "niv vin", r"niv|vin", r"[A-HJ-NPR-Z0-9]{17}", _mixed),
    _rule(
        "ID_NUMBER",
        "employ matricule patient dossier polic client customer membre member tudiant student case claim clamation "
        "sinistre mrn medical chart badge assur subscriber abonn ficiaire contrat contract permanent health ohip user "
        "holder file",
        r"""employ[ée]?e?s?|matricules?|patients?(?: file)?|dossiers?(?: m[ée]dical| patient| client)?|
            police(?: d'assurance)?|policy|polices|clients?|customers?|membres?|members?(?:ship)?|[ée]tudiante?s?|
            students?|case|claim|r[ée]clamation|sinistre|mrn|medical record|chart|badge|assur[ée]|subscriber|abonn[ée]|
            b[ée]n[ée]ficiaire|contrats?|contracts?|code permanent|health card|ohip|user|account holder|file""",
        _REFERENCE,
    ),
)  # fmt: skip
# Forms so particular that they need no label.
_OWN_FORM = (
    (
        re.compile(r"(?<![A-Za-z0-9])[A-Z][0-9]{4}-(?:[0-9]{6}-[0-9]{2}|[0-9]{5}-[0-9]{5})(?![A-Za-z0-9])"),
        "CA_DRIVER_LICENSE",
    ),
    (re.compile(r"(?<![A-Za-z0-9])(?:[0-9]{9} ?RT ?[0-9]{4}|[0-9]{10} ?TQ ?[0-9]{4})(?![A-Za-z0-9])"), "CA_TAX_NUMBER"),
)


class LabelledId(Identifier):
    """See `RULES`: the entity is the rule's."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 2

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language)
        self.supported_entities = sorted({rule.entity for rule in RULES})

    def find(self, run: Run) -> Iterator[Hit]:
        for pattern, entity in _OWN_FORM:
            for match in pattern.finditer(run.text):
                yield Hit(match.start(), match.end(), 0.9, "form", entity)
        context = run.before(len(run.text), len(run.text) + 48)
        for rule in RULES:
            if not any(stem in context for stem in rule.stems):
                continue
            for match in rule.value.finditer(run.text):
                before = run.before(match.start())
                if (
                    rule.label.search(before)
                    and _counts(rule, match.group(), before)
                    and not run.is_amount(*match.span())
                ):
                    yield Hit(match.start(), match.end(), 0.75, rule.entity.lower(), rule.entity)


def _counts(rule: Rule, value: str, before: str) -> bool:
    """Whether a value right after a label of the rule is such a number, and not a year or a short count."""
    compact = "".join(c for c in value if c.isalnum()).upper()
    if _YEARS.fullmatch(value) or not rule.check(compact):
        return False
    digits = sum(c.isdigit() for c in compact)
    return rule.entity != "ID_NUMBER" or digits >= (3 if _EXPLICIT.search(before) else 5)
