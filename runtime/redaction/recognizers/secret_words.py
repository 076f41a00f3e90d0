"""What people call a secret in French and English, and how they say what it is. In lower case, without accents.

Each name is the text of a pattern; `password.py` puts them together.
"""

from __future__ import annotations

import re

from runtime.redaction.lexicon import word_set

_LINE = re.compile(r"\n\s*")


def _one_of(alternatives: str) -> str:
    """A group of alternatives that are written over several lines."""
    return "(?:" + _LINE.sub("", alternatives.strip()) + ")"


OF_WORD = _one_of(r"""
    pass ?words?|pass[- ]?phrases?|passwd|pass ?codes?|pwd|pswd|psw|
    pw(?=\s?[:=]| is | (?=[a-z0-9]{0,24}[-_!@#$%^&*])(?=[a-z_!@#$%^&*-]{0,24}[0-9]))|
    mots?[ _-]de[ _-]passes?|mdp|
    motdepasse|m\.d\.p\.?|mot secret|reponse secrete|(?:secret|security)(?: question)? answer|code d'acces|
    (?:wi-?fi|wpa[23]?|wep|network|wireless|router) (?:key|code|pw)|wpa[23]?(?=\s?[:=])|psk|
    (?:user|db|admin|root)pwd|
    code (?:du |de )?wi-?fi|
    cle (?:du |de )?wi-?fi|cle (?:wep|wpa2?)|phrases? (?:de passe|secretes?|de recuperation|mnemonique)|seed phrase|
    recovery phrase|secret phrase|user ?pass|login/pass(?:word)?|user/pass(?:word)?|\w{0,24}_pass(?:word)?|\w{0,24}_pwd|
    \w{0,24}password|passe(?=\s?[:=])|(?<![a-z] )pass(?=\s?[:=])|pass(?==)|(?<=/ )pass
    """)
OF_KEY = _one_of(r"""
    api[ _-]?(?:key|token|secret)s?|access[ _-]?(?:key|token)s?(?:[ _-]id)?|secret[ _-]?(?:access[ _-]?)?keys?|
    client[ _-]?secrets?|app[ _-]?(?:key|secret|token)s?|auth[ _-]?(?:tokens?|keys?)|refresh[ _-]?tokens?|
    session[ _-]?(?:id|tokens?|keys?)|private[ _-]?keys?|encryption[ _-]?keys?|signing[ _-]?keys?|bot[ _-]?tokens?|
    personal access tokens?|deploy[ _-]?(?:key|token)s?|webhook[ _-]?secrets?|licen[cs]e[ _-]?keys?|product[ _-]?keys?|
    activation[ _-]?(?:key|code)s?|recovery[ _-]?(?:key|code)s?|backup[ _-]?codes?|
    cles? (?:d['e ] ?)?(?:api|acces|secrete|privee|chiffrement|recuperation|licence|activation|produit|securite)|
    jetons?(?: (?:d'acces|d'authentification|de session|secret|api))?|secrets?|tokens?|account[ _-]?key|
    shared[ _-]?(?:access[ _-]?)?key|sas|otp|2fa|\w{0,24}_(?:key|token|secret|apikey|auth)|apikey|apitoken|
    codes? (?:de verification|de securite|secret|de confirmation|d'acces|d'activation|de recuperation|a usage unique|
    d'authentification|de validation|temporaire|sms|de deverrouillage|de la porte|d'entree|d'alarme|de cadenas)|
    (?:verification|security|access|authentication|confirmation|one[- ]time|login|sign-in|unlock|alarm|gate|door|entry|
    lock|temporary|reset|auth|sms)[ _-]?(?:pass)?codes?
    """)
OF_PIN = _one_of(r"""
    pins?|nips?|n\.i\.p\.?|code pin|code nip|pin codes?|code[ -]puk|puk|cvv2?|cvc2?|cvn|cid|csc|
    cryptogramme(?: visuel)?|otp|2fa|pass ?codes?|card verification(?: value| code| number)?|security code|
    code de securite
    """)
# Who logs in with what: the word for it, a name, the password.
OF_LOGIN = _one_of(r"""
    credentials?|creds|identifiants?(?: de connexion)?|login/(?:pass(?:word)?|mdp)|user/pass(?:word)?
    """)
# The same with a space on both sides of a stroke: "Wi-Fi: BELL447 / 5A6B7C8D".
OF_PAIR = _one_of(r"""
    log-?in|user(?:name)?|utilisateur|usager|wi-?fi|ssid
    """)
PREPOSITION = _one_of(r"""
    du|de la|de l'|de|d'|des|pour le|pour la|pour l'|pour les|pour mon|pour ma|pour|de ma|de mon|de mes|de ton|de ta|
    de tes|de votre|de vos|de notre|de nos|de son|de sa|au|a la|a|sur le|sur la|sur|of the|of my|of|for the|for my|
    for your|for our|for his|for her|for|to the|to my|to our|to|on the|on my|on|from|in the|in
    """)
VERB = _one_of(r"""
    is|was|are|est|c'est|cest|c|etait|sera|reste|devient|will be|would be|should be|has been|set to|changed to|reset to|
    updated to|remplace par|change pour|mis a|defini a|est maintenant|equals|reads|being
    """)
ADJECTIVE = _one_of(r"""
    temporaire|provisoire|actuel(?:le)?|initial(?:e)?|par defaut|principal(?:e)?|maitre|admin(?:istrateur)?|secret|
    secrete|root|wifi|wi-fi|new|old|temporary|current|default|master|initial|est bien|perso(?:nnel)?|courriel|email|
    windows|vpn|ssh|mysql|ftp|bancaire|value|number|code|no|#
    """)
# What joins a label and its value over a few words between them.
GIVES = _one_of(r"""
    (?<![a-z])(?:is|was|est|c'est|cest|etait|sera|to|as|a ete change pour|par|remis a|mis a|change a)(?![a-z])|'s|=|:|→
    """)
NOT_VALUES = word_set(
    """
    required optional string str text none null nil true false undefined n/a na todo tbd unknown hidden redacted masked
    encrypted hashed requis requise obligatoire facultatif inconnu masque chiffre voir see below above ci-dessous
    incorrect invalid invalide wrong expired expire expiree forgotten oublie reset change changed new nouveau the le la
    les un une your votre my mon a an to not pas in on at what quoi comment how why pourquoi when quand please merci
    here ici this that ce cette is est and et or ou for pour it must doit should devrait strong weak fort faible faux
    mauvais correct valid valide secure sur securise missing manquant empty vide default defaut input field very tres
    too trop toujours always never jamais only seulement still encore used utilise stored stocke sent envoye qui que
    which if si but mais one manager policy protected protege protegee bearer basic ask demander demande demandez enter
    entrer entrez type case-sensitive confidentiel confidential same meme both trop tout already deja written ecrit
    ecrite noted compromised compromis leaked vole stolen shared partage okay ok password passwd mdp passphrase secret
    token key user username login email self bool int object array bytes any value values data args kwargs caracteres
    characters minimum maximum
    """
)
