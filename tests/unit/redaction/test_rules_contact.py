"""E-mail addresses and telephones, plain and disguised.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

EMAIL = """
Écrivez à [[jean.roy@exemple.ca]].
[[a@b.co]], [[c+d@sub.domaine.gouv.qc.ca]]; <[[e_f@g-h.org]]>
[[PRÉNOM.NOM@EXEMPLE.CA]]
interne : [[paie@serveur.local]]
[[marie@⏎exemple.com]]
[[jean . roy @ exemple . com]]
[[marie.curie＠exemple．ca]]
[[je\u200ban@exemple.ca]]
"courriel": "[[m.tremblay@videotron.ca]]",
mailto:[[info.clinique@sante.gouv.qc.ca]]?subject=x
<a href="mailto:[[j@x.fr]]">
De : Marie <[[marie.t@laposte.net]]>
["[[x.y@z.ca]]","[[w@v.org]]"]
user=[[jo@ex.com]]&x=1
[[o'brien@exemple.ie]] and [[first.last+tag@mail.example.co.uk]]
[[jean.roy@exem⏎ple.ca]] merci
"[[jean.roy@exemple.ca]]"
Meet me at cafe.com at noon
git@github.com:org/repo.git
icon@2x.png react@18.2.0 @jean
look at that dot over there
@media print { } @app.route("/x") @types/node@20.1.0
C'est @ 5 $ l'unité, 3 @ 2,50
Suivez @hydroquebec sur X
"""
SPELLED = """
[[jean point roy arobase exemple point ca]]
[[jean.roy (at) exemple (dot) com]]
[[jean[.]roy[at]exemple[.]com]]
[[john at example dot com]]
[[jean.roy%40exemple.ca]]
[[jean.roy&#64;exemple.ca]]
[[jean.roy&commat;exemple&period;ca]] ok
[[jean.roy\\u0040exemple.ca]] ok
[[jean.roy=40exemple.ca]] ok
mon courriel : [[marie tiret claude point roy arobase gmail point com]]
write to [[j underscore smith at example dot co dot uk]] please
adresse [[marie.roy arobase exemple.ca]], merci
[[marie.roy(at)exemple.ca]]
[[marie.roy [at] exemple.ca]]
[[marie.roy{at}exemple{dot}ca]]
[[marieroy -at- exemple -dot- ca]]
[[john.smith AT example DOT com]]
reach me: [[john.smith at example.com]]
[[j e a n . r o y @ e x e m p l e . c o m]]
[[amVhbi5yb3lAZXhlbXBsZS5jYQ==]] en base64
aperçu : [[amVhbi5yb3lAZXhlbXBsZS5jYQ]] fin
[[jean.roy@exemple point ca]]
[[jean.roy arobase gmail]] c'est le mien
[[%6A%65%61%6E%40%65%78%65%6D%70%6C%65%2E%63%61]]
[[&#106;&#101;&#97;&#110;&#64;&#101;&#120;&#46;&#99;&#97;]]
Point me at the dot com bubble
the dot at the end, and a point at issue
Il est arrivé chez Paul, point final
"""
PHONES = """
Appelez le [[514 555-0123]] demain
Appelez le [[(514) 555-0123]] demain
Appelez le [[514-555-0123]] demain
Appelez le [[514.555.0123]] demain
Appelez le [[+1 514 555 0123]] demain
Appelez le [[1-514-555-0123]] demain
Appelez le [[+1 (514) 555-0123]] demain
Appelez le [[514 555 0123]] demain
Appelez le [[514⏎555⏎0123]] demain
Appelez le [[５１４-５５５-０１２３]] demain
Appelez le [[51\u200b4-555-0123]] demain
Appelez le [[06 12 34 56 78]] demain
Appelez le [[06.12.34.56.78]] demain
Appelez le [[0612345678]] demain
Appelez le [[+33 6 12 34 56 78]] demain
Appelez le [[+33612345678]] demain
Appelez le [[0033 6 12 34 56 78]] demain
Appelez le [[+33 (0)6 12 34 56 78]] demain
Appelez le [[+44 20 7946 0958]] demain
Appelez le [[+44 (0)20 7946 0958]] demain
Appelez le [[+49 30 901820]] demain
Appelez le [[5 1 4 5 5 5 0 1 2 3]] demain
Appelez le [[5-1-4-5-5-5-0-1-2-3]] demain
Appelez le [[514/555/0123]] demain
Appelez le [[(514)555-0123]] demain
Appelez le [[514 – 555 – 0123]] demain
Appelez le [[514·555·0123]] demain
Appelez le [[+41 79 123 45 67]] demain
Appelez le [[+32 475 12 34 56]] demain
Appelez le [[+509 3412 3456]] demain
Appelez le [[+213 551 23 45 67]] demain
Appelez le [[+1.514.555.0123]] demain
Appelez le [[011 33 6 12 34 56 78]] demain
Bureau : [[418 555-0142 poste 233]]
tel [[416-555-0188 ext. 12]]
call [[416-555-0188 x12]] now
call [[(416) 555-0188, ext 4021]] now
Tél. [[514-555-0123, poste 45]].
mon cell : [[5145550123]]
Tél. : [[555-0123]]
fax: [[5550199]]
"phone": "[[5145550123]]"
phone=[[15145550123]]&x=2
tel:[[+15145550123]]
Mon numéro est le [[514 555 01 23]]
Cell [[514-5550123]]
[[5145550123]], rappelez-moi
Phone: [[555 123 4567]]
call me at [[123-456-7890]]
Numéro : [[51455⏎50123]]
[[cinq un quatre, cinq cinq cinq, zéro un deux trois]]
call [[five one four five five five zero one two three]]
mon cell c'est le [[zéro six douze trente-quatre cinquante-six soixante-dix-huit]]
[[514%20555%200123]]
[[NTE0LTU1NS0wMTIz]]
Téléphone : [[０１.４２.６８.５３.００]]
Fixe [[01-42-68-53-00]], portable [[07 81 23 45 67]]
Commande 5145550123
Order # 4165550188 shipped
Timestamp 1700000000
sur 123-456 et 7890
3.14159265358979 et 2,718281828
0123456789 est une suite, la commande 0123456789 aussi
un deux trois quatre cinq six sept huit neuf dix
one two three four five six seven eight nine ten
Les années 2010 2011 2012 2013
de 1 500 000 à 2 000 000 $
Loto : 01 02 03 04 05 06 07
2147483647
ratio 12.34.56.78.90.12
"""

TABLES = [
    (EMAIL, ("EMAIL_ADDRESS",)),
    (SPELLED, ("EMAIL_ADDRESS",)),
    (PHONES, ("PHONE_NUMBER",)),
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
