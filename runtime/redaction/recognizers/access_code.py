"""Codes that open something or prove somebody: doors, alarms, padlocks, safes, telephones, one-time codes.

What is opened, in either language, before or behind "code", then what joins, then digits, perhaps with a letter. Other
secrets are for `password.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import SECRET

_OPENED_EN = (
    r"(?:front |back |side |main |bike |luggage |gym |spare |key |home |phone |voice ?)?(?:doors?|gates?|alarm|garage|"
    r"building|lock ?box|lockers?|locks?|padlock|safe|vault|entry|entrance|access|buzzer|intercom|keypad|elevator|"
    r"lobby|shed|suitcase|wi-?fi|phone|mail|tablet|unlock|disarm|security|verification|confirmation|validation|"
    r"authentication|authenticator|one[- ]?time|single[- ]use|login|log-?in|sign-?in|activation|reset|recovery|backup|"
    r"2fa|mfa|sms|otp|pairing|pickup|pick-up|bank ?card|debit card|card|parental(?: control)?|kiosk|staff|guest|"
    r"admin|master|installer|"
    r"cabinet|cash ?box|strong ?box|key ?safe|key ?box|box)"
)
_OPENED_FR = (
    r"(?:portes?|portail|barriere|immeuble|bloc|batiment|alarme|systeme d'alarme|garage|entree|hall|ascenseur|"
    r"interphone|digicode|clavier|cadenas|coffre(?:-fort)?|casier|serrure|boite a cles|boite vocale|valise|remise|"
    r"cabanon|telephone|cellulaire|tablette|deverrouillage|verification|confirmation|securite|validation|"
    r"authentification|connexion|acces|activation|recuperation|secours|reinitialisation|sms|usage unique|"
    r"carte(?: bancaire| de debit| bleue)?|carte sim|sim|retrait|ramassage|colis|boite(?: aux lettres| a colis|"
    r" a lunch)?|cb|armoire|tiroir|classeur|maison|chalet|appartement|wi-?fi|"
    r"controle parental)"
)
_NOUN = r"(?:codes?|nips?|pins?|pin codes?|passcodes?|pass ?codes?|combinaisons?|combination|digicode|combo)"
_LABEL = (
    rf"(?:{_OPENED_EN}(?: (?:pass|pin))? ?{_NOUN}|"
    rf"{_NOUN} (?:(?:|d'|de |du |de la |de l'|des |pour |pour la |pour le |pour l'|a |a l'|sur )"
    rf"(?:(?:mon|ma|ton|ta|son|sa|notre|votre|leur|la|le|l'|mes) ?)?{_OPENED_FR}|"
    rf"(?:to|for|of|on) (?:(?:the|my|our|your|his|her|their) )?{_OPENED_EN}|"
    r"pour (?:entrer|ouvrir|desarmer|deverrouiller|acceder)(?: (?:la|le|l'|au|a la|a) ?[a-z-]{2,16})?|"
    r"to (?:enter|open|unlock|disarm|get in)(?: (?:the |my )?[a-z-]{2,16})?)|"
    rf"{_NOUN} (?:admin|maitre|invite|visiteur|installateur|technicien)|"
    r"combinaison|combination|digicode|nip|mon code|my code|code secret|secret code|a2f|code a usage unique)"
)
_JOIN = (
    r"(?: (?:of the|of my|of|du|de la|de l'|de|for|pour|at|a|au|to) ?[\w'-]{1,20}){0,2}"
    r"(?:\s{0,2}[:=]\s{0,2}|\?\s{1,2}(?:[a-z]{1,16} ?: ?)?|'s |,? (?:is|was|est|c'est|cest|c t|etait|sera|devient|"
    r"reste|"
    r"will be|becomes|changed to|change pour|=|–|-)"
    r"(?: (?:le|la|the|now|maintenant|rendu|bien|still|toujours))? ?:? ?|,? ?[(\"'«]\s?|\s{1,2}#? ?)[\"'«(*]{0,2} ?"
)
_VALUE = (
    r"([0-9]{3,4}[ -][0-9]{3,4}|(?:[a-z]{1,2}-?)?[0-9]{3,8}(?:[a-z]{1,2}(?![a-z]))?[#*]?|[a-z][0-9]{2,4}[a-z]|"
    r"[0-9]{1,3}[a-z]{1,2}[0-9]{1,4}[#*]?"
    r"|(?=[a-z-]{0,5}[0-9])[a-z0-9]{3,5}(?:-(?=[a-z-]{0,5}[0-9])[a-z0-9]{3,5}){1,4}"
    r"|[#*][0-9]{3,8}[#*]?|[0-9]{1,2}(?:\s?[-–/ ,]\s?[0-9]{1,2}){2,3})(?![\w$€%]|[.,:/-][0-9])"
)
_SAID = re.compile(rf"(?<![\w'-]){_LABEL}{_JOIN}{_VALUE}")
# The value first: "449120 is your verification code", "4471# pour la porte".
_BEHIND = re.compile(
    r"(?<![\w.,$€-])([0-9]{3,4}[ -]?[0-9]{2,4}|[a-z]{1,2}-[0-9]{4,8}|[0-9]{4,8}[#*]?)"
    r"(?: is| as|,? est| comme| =| :|,| \() ?"
    r"(?:(?:your|the|my|our|votre|ton|mon|le|notre)\s)?(?:[a-z]{2,14} )?"
    rf"(?:{_OPENED_EN} ?{_NOUN}|{_NOUN} (?:d'|de |du |de la |de l'|pour (?:la |le |l')?|a ){_OPENED_FR})(?!\w)"
)
# The sign of a keypad says that it is a code: "front gate: 7788#".
_KEYED = re.compile(
    rf"(?<![\w-])(?:{_OPENED_EN}|{_OPENED_FR})(?:\s?[:=]|,? (?:is|est|=))? {{0,2}}"
    r"([#*][0-9]{3,8}[#*]?|[0-9]{3,8}[#*])(?!\w)"
)
# What nothing but a code opens says so by itself: "key safe 4816", "Cadenas : 3-31-17".
_OPENER = re.compile(
    r"(?<![\w-])(?:key ?safe|key ?box|lock ?box|padlock|cadenas|boite a cle?f?s|coffre a cle?f?s|digicode)"
    r"(?:\s?[:=]|,| (?:is|est|at))? ([0-9]{3,6}[#*]?|[0-9]{1,2}(?: ?[-/] ?[0-9]{1,2}){2,3})(?![\w$€%]|[.,:/-][0-9])"
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_GATE = re.compile(
    r"(?<![a-z])(?:codes?|nips?|pins?|\w{0,4}passcodes?|combinaisons?|combination|combo|digicode|a2f)(?![a-z])|"
    r"[0-9][#*]|[#*][0-9]|"
    r"(?<![a-z])(?:key ?safe|key ?box|lock ?box|padlock|cadenas|a cle?f?s)(?![a-z])"
)


class AccessCode(Identifier):
    """Codes of doors, alarms, locks and logins."""

    ENTITY = "SECRET"
    LEAST_DIGITS = 2

    def applies(self, run: Run) -> bool:
        return run.topics & SECRET != 0

    def find(self, run: Run) -> Iterator[Hit]:
        """The label may stand before the run: match over both, keep what ends inside."""
        left = run.left[-80:]
        lower, shift = lowered(left) + run.lower, len(left)
        if not _GATE.search(lower):
            return
        for pattern, name in ((_SAID, "said"), (_BEHIND, "behind"), (_KEYED, "keypad"), (_OPENER, "opener")):
            for match in pattern.finditer(lower):
                start, end = match.span(1)
                if end > shift and start >= shift and not _YEAR.fullmatch(match[1]):
                    yield Hit(start - shift, end - shift, 0.85, name)
