"""Names of people that name something else: companies and products, towns, hospitals, schools and bridges.

Public facts, as whole phrases: "Calvin Klein" is a brand, "Calvin" alone is somebody. Beside a word that says what is
named ("Hôpital Pierre-Boucher", "Sydney Opera House") no list is needed. What of the rest is a name is for `names.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from runtime.redaction.lexicon import word_set
from runtime.redaction.name_features import Token
from runtime.redaction.name_runs import TITLES
from runtime.redaction.name_words import bare

_PHRASES = """
abbott laboratories; abercrombie & fitch; adam's apple; agatha ruiz de la prada; agnes b; airflow; akamai; alexander
keith's; alexander mcqueen; alfa romeo; algolia; allen edmonds; amerique du nord; amerique du sud; amerique latine;
andre citroen; angular; anne of green gables; ansible; arsene lupin; artifactory; asana; aston martin; aston villa;
auchan; aunt jemima; austin healey; auth0; baie saint-paul; baie-saint-paul; baker hughes; baskin robbins; bath & body
works; baton rouge; becton dickinson; bed bath & beyond; bell canada; ben & jerry; ben & jerry's; ben sherman; benjamin
moore; bernard l'ermite; bernard-l'ermite; best western; betty crocker; big ben; bishop's; bitbucket; black & decker;
black-eyed susan; bloody mary; bobbi brown; booz allen hamilton; boston pizza; bricomarche; bristol myers squibb;
bristol-myers squibb; brooks brothers; browning; burt's bees; caesar salad; calvin klein; campbell soup; campbell's;
captain morgan; carl zeiss; carolina herrera; carson city; castorama; central america; central park; chanel; charles
schwab; charles tyrwhitt; charlotte tilbury; chevrolet; christian dior; christian louboutin; citroen; claudie pierlot;
cloudflare; cole haan; comme des garçons; conforama; coopers lybrand; credit suisse; crystal palace; cyrano de bergerac;
daniel wellington; databricks; datadog; david's tea; davids tea; decathlon; denny's; diane von furstenberg; dick's
sporting goods; django; doc martens; dolce & gabbana; dom perignon; don giovanni; don juan; don quichotte; don quixote;
donna karan; dow jones; dr oetker; dr pepper; dr. martens; dr. oetker; dr. pepper; drupal; dun & bradstreet; duncan
hines; earl grey; eddie bauer; edward jones; elasticsearch; eli lilly; elizabeth arden; emilio pucci; ernst & young;
estee lauder; etam; ethan allen; everton fc; famous amos; ferrero rocher; figma; fisher price; fisher scientific;
fisher-price; foot locker; fort mcmurray; fort william; fortnum & mason; frank & oak; franprix; fruit of the loom;
galeries lafayette; george foreman grill; gerard darel; gerber; gianni versace; gillette; giorgio armani; gitlab; glen
grant; goldman sachs; grafana; granny smith; grant thornton; great gatsby; guillaume tell; guy laroche; h. j. heinz;
hadoop; harley davidson; harley-davidson; harris teeter; harry potter; heinz; helena rubinstein; helly hansen; henri
bendel; henry schein; herman miller; hermes; hershey's; hewlett packard; hewlett-packard; hubspot; hugo boss; issey
miyake; ivanhoe cambridge; j. crew; j.p. morgan; jack & jones; jack daniel's; jack daniels; jack in the box; jack
russell; jack wolfskin; jacques vert; james bay; jane eyre; jane street; jardiland; jean coutu; jean paul gaultier;
jean-coutu; jean-paul gaultier; jeanne lanvin; jefferson city; jenny craig; jim beam; jimmy choo; jimmy dean; jo malone;
joe fresh; john deere; john hancock insurance; john lewis & partners; john wiley & sons; johnnie walker; johns hopkins
university; johnson & johnson; joomla; jose cuervo; joseph ribkoff; jp morgan chase; jpmorgan chase; juan valdez;
jupyter; karl lagerfeld; kaspersky; kate spade; kellogg's; kenneth cole; kiabi; kibana; king charles; king george v;
king lear; knight frank; kraft dinner; kubernetes; labatt bleue; lake charles; lake louise; laravel; latin america;
laura ashley; laura secord; laurent perrier; laurent-perrier; lawrence berkeley; lazy susan; leroy merlin; leroy-merlin;
levi strauss; lipton; little debbie; liz claiborne; lloyds bank; lockheed martin; louis dreyfus; louis garneau; louis
vuitton; lucene; lundbeck; mac cosmetics; madame bovary; madame tout-le-monde; magento; mailchimp; manchester united;
marc jacobs; marchesa; marie blachere; marie claire; marionnaud; mark's work wearhouse; marks & spencer; marks and
spencer; martha stewart living; martin luther king day; martin marietta; martin-pecheur; mary kay; mary poppins; massey
ferguson; massey hall; max factor; max mara; mcafee; mccain foods; mcgill university; mercedes benz; mercedes-benz;
merck frosst; merriam-webster; merrill lynch; michael kors; moet & chandon; molson coors; molson export; monoprix;
monsieur tout-le-monde; mont-laurier; monterey jack; morgan stanley; mother nature; mount logan; mount vernon; mr clean;
mr. clean; mr. coffee; mrs dalloway; mrs. dalloway; mrs. fields; nagios; napa auto parts; nicolas feuillatte; nina
ricci; north america; norton rose fulbright; okta; oscar mayer; otto bock; paco rabanne; papa john's; patek philippe;
patrick morin; paul mitchell; pernod ricard; perrier-jouet; perry ellis; peter pan; peter rabbit; peugeot; philip
morris; pierre cardin; pierre fabre; port arthur; port elizabeth; port stanley; pratt & whitney; prince albert; prince
edward county; prince george; prince rupert; princess of wales; procter & gamble; prometheus; pytest; queen elizabeth
hotel; ralph lauren; ray ban; ray-ban; raymond james; red lobster; reina sofia; remington; remy martin; renaud-bray;
renault; rene derhy; robert bosch; robert half; robert mondavi; robin hood; roche diagnostics; roger vivier; rogers
centre; roissy-charles-de-gaulle; roland garros; roland-garros; rolls royce; rolls-royce; romeo and juliet; romeo et
juliette; rona; ronald mcdonald; royal alexandra; saint john; saint-bernard; saint-jean-baptiste; salt lake city;
salvatore ferragamo; sam adams; samuel adams; san diego; san jose; santa barbara; santa clara; santa claus; santa
monica; sara lee; sarah lawrence college; sault ste marie; sault ste. marie; sault-sainte-marie; scotiabank arena;
scotts miracle-gro; selenium; sendgrid; sept-iles; sherlock holmes; sherwin williams; sherwin-williams; shirley temple;
shopify; simon fraser university; smith & nephew; smith & wesson; sonia rykiel; south america; spalding; spirou et
fantasio; splunk; st. albert; st. bernard; st. catharines; st. john's; st. louis; st. marys; st. patrick's day; st.
petersburg; standard & poor's; stanley black & decker; stanley cup; stanley park; ste-foy; ste-julie; ste-marie; ste.
anne; stella artois; stella mccartney; steve madden; sun life; susan b. komen; symfony; t. rowe price; taco bell;
tartempion; ted baker; thermo fisher; thierry mugler; thomas cook; thomson reuters; tim horton's; tim hortons; tom
clancy's; tom collins; tom ford; tom sawyer; tommy bahama; tommy hilfiger; tony roma's; tory burch; trader joe's;
trello; twilio; uncle ben's; uncle sam; urban outfitters; vagrant; val-d'or; van cleef & arpels; van houtte; vera wang;
veuve clicquot; victoria day; victoria park; victoria's secret; vivienne westwood; waldorf salad; walt disney; wayne
state; webpack; webster's; wells fargo; west ham; western digital; wilfrid laurier university; william grant & sons;
wilson sporting goods; winchester; winnie the pooh; yves rocher; yves saint laurent; yves saint-laurent; zabbix; zadig &
voltaire; zendesk
"""
_SAYS_BEFORE = word_set(
    """
    hôpital hospital école school collège college lycée cégep cegep université university aéroport airport pont stade
    stadium station métro lac prix fondation foundation institut institute église basilique cathédrale théâtre theatre
    théâtres aréna arena bibliothèque pavillon chu chsld gare rivière mount autoroute musée museum échangeur tunnel
    barrage polyvalente maternelle auberge hôtel fromagerie boulangerie pâtisserie librairie épicerie boucherie
    pharmacie quincaillerie cidre cidrerie cognac vignoble brasserie microbrasserie restaurant bistro caisse banque
    galeries éditions rapport commission loi coupe trophée salon prison pénitencier caserne refuge hotel metro
    freighter ferry tug schooner trawler icebreaker frigate steamer ss hms rms mv uss ccgs ngcc cargo traversier
    remorqueur goélette chalutier paquebot vraquier frégate fauteuil commode guéridon bergère armoire coloration
    tomate tomates pommier poirier rosier rosiers pivoine film roman opéra ballet
    """
)
# Winds have given names: "Hurricane Ida", "la tempête Ida"; so have those counted up behind one.
_WINDS = word_set(
    "hurricane hurricanes typhoon typhoons cyclone cyclones ouragan ouragans typhon typhons tempête tempêtes"
)
_STORMS = {"Storm", "Storms"}  # in small letters a storm is anybody's
_ARTICLES = {"the", "a", "an"}
_AND = word_set("and or et ou puis then vs")
_SAYS_BEHIND = word_set(
    """
    hospital university college airport stadium arena foundation institute prize award awards opera museum inc inc. ltd
    ltd. llc corp corp. corporation holdings airlines motors pharmacy pharmacie pharmaceuticals industries brewery
    distillery publishing publications jeans syrup burgers boots perfume perfumes parfums parfum cosmetics whisky
    bourbon rum lipstick chocolats chocolates post times international report
    tribune herald gazette theorem effect equation algorithm distribution syndrome disease constant
    thyroiditis lymphoma staining palsy library cathedral station terminal
    """
)
# What physicians and others name after somebody, behind a family name and 's.
_EPONYMS = word_set(
    """
    sign disease syndrome thyroiditis palsy lymphoma chorea contracture triad tetralogy reflex manoeuvre maneuver stain
    phenomenon ulcer lemma theorem conjecture inequality razor paradox constant
    """
)
_SPACES = re.compile(r"\s+")


def _by_first_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for entry in _PHRASES.split(";"):
        phrase = _SPACES.sub(" ", entry.strip())
        found.setdefault(re.split(r"[^a-z]", phrase)[0], []).append(phrase)
    return {word: tuple(phrases) for word, phrases in found.items()}


_BY_FIRST_WORD = _by_first_word()


def elsewhere(
    text: str, tokens: Sequence[Token], possible: Sequence[bool], is_given: Callable[[str], bool]
) -> set[int]:
    """Which tokens belong to the name of something that is no person.

    Args:
        text: as the tagger was shown it.
        tokens: its tokens.
        possible: which of them might be a name: the others are not looked at, but for the beginning of a phrase.
        is_given: whether a lower-case word is a given name.
    """
    taken: set[int] = set()
    for index, token in enumerate(tokens):
        phrases = _BY_FIRST_WORD.get(bare(token.text.lower()))
        if phrases is not None and token.text[0].isupper() and (phrase := _phrase(text, tokens, index, phrases)):
            last = phrase[-1] + 1  # the model's name goes on: "Renault Mégane", "Johnnie Walker Black"
            while last < len(tokens) and possible[last] and tokens[last].text[0].isalpha() and _adjoins(tokens, last):
                last += 1
            taken.update(range(index, last))
    for index, could in enumerate(possible):
        if could and index not in taken and (index == 0 or not possible[index - 1]):
            end = index
            while (
                end < len(tokens) and possible[end] and (end == index or tokens[end].start - tokens[end - 1].end <= 1)
            ):
                end += 1
            if (
                _is_said_before(tokens, index)
                or _is_said_behind(tokens, end)
                or (end > index + 1 and tokens[index].text.lower() in _SAYS_BEFORE)
                or _is_eponym(tokens, index, end, is_given)
                or _is_shop(tokens, index, end, is_given)
            ):
                taken.update(range(index, end))
    return taken | _winds(tokens, possible)


def _winds(tokens: Sequence[Token], possible: Sequence[bool]) -> set[int]:
    """The names of storms: the one announced, and those counted up behind it."""
    taken: set[int] = set()
    for index, token in enumerate(tokens[:-1]):
        if token.text.lower() in _WINDS or token.text in _STORMS:
            taken.add(index)
            at = index + 1
            while at < len(tokens) and _is_counted(tokens, at):
                taken.add(at)
                at += 1
                while at < len(tokens) and (tokens[at].text in {",", ";"} or tokens[at].text in _AND):
                    at += 1
    return {index for index in taken if possible[index]}


def _is_counted(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word with a capital stands alone: "Ida, Ana Roy said" counts up one storm."""
    if not tokens[index].text[0].isupper() or tokens[index].text.lower() in _WINDS:
        return False
    return index + 1 == len(tokens) or not tokens[index + 1].text[0].isupper()


def _is_eponym(tokens: Sequence[Token], index: int, end: int, is_given: Callable[[str], bool]) -> bool:
    """Whether a family name alone is what something is called after: "Hansen's disease", not "Anna's disease"."""
    if end != index + 1 or is_given(tokens[index].text.lower()) or (index and _names_somebody(tokens, index - 1)):
        return False
    at = _behind_possessive(tokens, end)
    return end < at < len(tokens) and tokens[at].text.lower() in _EPONYMS


def _is_shop(tokens: Sequence[Token], index: int, end: int, is_given: Callable[[str], bool]) -> bool:
    """Whether an article stands before somebody's: "the Wendy's on the corner", not "the Tremblay's dog"."""
    if not (index and tokens[index - 1].text.lower() in _ARTICLES and _adjoins(tokens, index)):
        return False
    return is_given(tokens[index].text.lower()) and _behind_possessive(tokens, end) == end + 2


def _behind_possessive(tokens: Sequence[Token], end: int) -> int:
    """What follows a run and its 's, or the apostrophe of "Graves' disease"."""
    if end == len(tokens) or tokens[end].text not in {"'", "’"} or tokens[end].start != tokens[end - 1].end:
        return end
    return end + 1 + (end + 1 < len(tokens) and tokens[end + 1].text == "s")


def _names_somebody(tokens: Sequence[Token], index: int) -> bool:
    """Whether a title or its dot stands there: "Mr. Hansen's disease"."""
    word = tokens[index].text.lower()
    return word == "." or word in TITLES or (tokens[index].text[0].isupper() and index > 0)


def _adjoins(tokens: Sequence[Token], index: int) -> bool:
    return tokens[index].start - tokens[index - 1].end == 1


def _phrase(text: str, tokens: Sequence[Token], index: int, phrases: Sequence[str]) -> Sequence[int]:
    start = tokens[index].start
    near = bare(text[start : start + 40].lower())
    for phrase in phrases:
        if near.startswith(phrase) and not near[len(phrase) : len(phrase) + 1].isalnum():
            last = index
            while last + 1 < len(tokens) and tokens[last + 1].start < start + len(phrase):
                last += 1
            return range(index, last + 1)
    return ()


def _is_said_before(tokens: Sequence[Token], index: int) -> bool:
    """Whether the word right before says what is named: what is *of* somebody names him."""
    return index > 0 and _adjoins(tokens, index) and tokens[index - 1].text.lower() in _SAYS_BEFORE


def _is_said_behind(tokens: Sequence[Token], end: int) -> bool:
    if end >= len(tokens) or tokens[end].start - tokens[end - 1].end != 1:
        return False
    return tokens[end].text.lower() in _SAYS_BEHIND
