"""Words of postal addresses in French and English, in lower case without accents: facts, no findings.

Kinds of streets (those that are nothing else, and those that are common words too), units, provinces and states. Towns
and countries are in `towns.py`, kinds of streets of other languages in `street_words_abroad.py`.
"""

from __future__ import annotations

from runtime.redaction.lexicon import word_set

FRENCH_STRONG = word_set(
    """
    rue r. rg rg. avenue av av. ave ave. boulevard boul boul. bd bd. blvd bld bvd boulv. chemin chem. rang impasse imp.
    allee all. croissant ruelle autoroute
    """
)
FRENCH_WEAK = word_set(
    """
    place pl pl. allees route rte rte. cote quai square sq. cours montee terrasse promenade passage pass. voie sentier
    carre faubourg fg esplanade ch ch. residence res. rés. lotissement lot. hameau villa cite traverse venelle parvis
    mail sente clos rond-point galerie domaine lieu-dit lieudit immeuble cour descente corniche levee zone za zi zac
    quartier rampe
    """
)
FRENCH_TYPES = FRENCH_STRONG | FRENCH_WEAK
ENGLISH_STRONG = word_set(
    """
    street st st. avenue ave ave. av av. road rd rd. boulevard blvd blvd. boul boul. drive dr dr. drv lane ln ln.
    court ct ct. crt crt. crescent cres cres. cr cr. highway hwy hwy. parkway pkwy pkwy. terrace terr terr. circle cir
    cir. sideroad expressway expy turnpike
    """
)
ENGLISH_WEAK = word_set(
    """
    bay
    way place pl pl. square sq sq. trail trl close gardens gdns gate row quay mews line concession grove green heights
    hts hill hollow landing link loop manor path point ridge rise run view vista walk wharf alley plaza promenade
    crossing common commons cove bend glen harbour harbor park route townline wynd esplanade chase estate estates
    pines range alley branch bridge brook brooks burg burgs bypass camp canyon cape causeway center centers centre
    circles cliff cliffs club corner corners course courts coves creek crest crossroad curve dale dam divide drives
    extension extensions fall falls ferry fields flat flats ford fords forest forge forges fork forks fort freeway
    garden gateway glens greens groves harbors haven hills inlet island islands isle junction junctions key keys
    knoll knolls lake lakes land light lights loaf lock locks lodge mall manors meadow mill mills mission motorway
    mount mountain neck orchard oval overpass parks parkways pass passage pike plain plains points port ports prairie
    radial ramp ranch rapid rapids rest river rue shoal shoals shore shores skyway spring springs spur station stream
    streets summit throughway trace track trafficway tunnel underpass union unions valley valleys via viaduct views
    parade mansions paddock copse
    village villages ville walks wall ways well wells pine brae bluff bluffs
    """
)
ENGLISH_TYPES = ENGLISH_STRONG | ENGLISH_WEAK
ENGLISH_KINDS = ENGLISH_STRONG | word_set("trail trl way line concession row ridge grove sideroad")
# Weak ones that end no other name of two words and more that a number stands before.
ENGLISH_PLAIN = word_set(
    "trail trl way close gardens gdns row mews grove heights hts hollow landing manor ridge wharf crossing cove "
    "townline wynd gate harbour estates path"
)
# A street with a number for a name: "Highway 7", "County Road 12", "Rang 3".
NUMBERED = word_set(
    "highway hwy hwy. road rd rd. route rte rte. rang concession line sideroad autoroute avenue rue county rr"
)
JOINERS = word_set("de du des d la le les l en a aux sur sous et lez les sous")
DIRECTIONS = word_set(
    "n s e w n. s. e. w. o o. ne nw se sw n.e. n.w. s.e. s.w. north south east west nord sud est ouest northeast "
    "northwest southeast southwest nord-est nord-ouest sud-est sud-ouest"
)
UNITS = word_set(
    "app appt apt appartement suite bureau bur local unite unit porte etage bat batiment escalier logement"
)
# Words that end a street written in small letters.
# After one of these a "Street" or a "Road" is no street.
NOT_AFTER = word_set(
    """
    trip trips food foods art artist artists racing race races hockey fighter style wear smart view journal bets case
    order side runner rage warrior kill show map maps sign signs closure closures safety tax work works cleaning
    lights party fair dance house shot thru vendor vendors market performance
    """
)
STOPS = word_set(
    """
    et ou au pour avec dans qui que car mais puis svp merci tel c'est ce a est-ce il elle on je tu nous vous ils est
    sont and or with for in at that which is are was my the to near by from please call but so i you he she we they
    depuis sans chez donc quand si entre vers pres jusqu'a
    """
)
NOT_STREETS = word_set(
    """
    anglais francais commerce maison ville face foot feet lane mile miles km hour hours minute minutes day days year
    years week weeks month months inch way ways more other different new long busy main-floor single double dead car
    of per x distance percent times big small wide little hard great old-fashioned separate major minor distinct
    individual one-way two-way pietonne pietonnes barree barrees fermee fermees possible
    possibles suivre assise assises
    """
)
COUNTED_NAMES = word_set(
    """
    star stars rock street canadians americans quebecois francais degrees degres dollars euros heures hours noon pm am
    cent percent pour-cent states countries cities people million millions day days mbps mhz ghz khz dpi rpm volts watts
    kelvin celsius fahrenheit hertz hz turbo max eleven downing-street brasseurs metres meters points point mm cm km kg
    lb lbs mg ml gb mb tb kb usd cad eur cv hp psi bar ans janvier fevrier mars avril mai juin juillet aout septembre
    octobre novembre decembre january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday lundi mardi mercredi jeudi vendredi samedi dimanche
    pro plus mini ultra air elite series serie class classe edition version windows android ios firefox chrome office
    days weeks months years jours semaines mois annees fps dots unit units unite unites ex est edt pst pdt utc gmt
    """
)
"""With a capital after a number these are counted, or name a thing: "at 4500 Kelvin"."""
STREETS_ALONE = word_set(
    """
    principale broadway kingsway grand-rue grande-rue esplanade pie-ix rene-levesque sherbrooke sainte-catherine
    ste-catherine papineau de-lorimier drolet fleury belanger beaubien masson saint-denis st-denis saint-hubert
    st-hubert saint-laurent st-laurent saint-urbain st-urbain waverly fairmount laurier rachel fullum iberville
    d'iberville christophe-colomb jean-talon cremazie decarie cote-des-neiges cote-vertu drummond crescent peel
    atwater wellington notre-dame saint-jacques st-jacques saint-antoine st-antoine sainte-famille jeanne-mance
    hutchison durocher esplanade querbes bernard van-horne dollard ogilvy liege jarry gouin henri-bourassa viau
    bennett aird lacordaire langelier cartier grande-allee saint-joseph st-joseph saint-jean st-jean charest
    maguire dorchester bank rideau sussex bronson elgin dalhousie spadina bathurst dundas bloor yonge danforth
    lakeshore main hastings granville robson davie burrard cambie portage
    """
)
"""Streets that people name without their kind, after a number."""
COUNTED = word_set("wheel wheels lane lanes hole way hour day speed")
"""After a number these are counted: "4 Wheel Drive"."""
PROVINCES = word_set(
    """
    quebec qc pq que ontario on ont alberta ab alta manitoba mb man saskatchewan sk sask bc ns nb nl pe pei yt nt nu
    yukon nunavut
    """
)
STATES = word_set(
    """
    AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA
    RI SC SD TN TX UT VT VA WA WV WI WY DC PR AA AE AP
    """
)
ACCENTED = word_set("allée allées côte montée carré résidence cité")
"""Those of the words above that are written with accents, as they are written."""
GATE = frozenset(
    part
    for word in FRENCH_TYPES | ENGLISH_TYPES | word_set("st ste saint sainte")
    for part in word.strip(".").split("-")
) - word_set("a d l s e n w o lieu point la le of")
"""One of these is in every address that says what kind of street it is, or is named after a saint."""
BOX_WORDS = word_set("box casier postal postale c.p b.p bp p.o po stn station restante")
