"""Towns and countries of postal addresses, in lower case without accents, words joined by hyphens: facts, no findings.

By these a town is known that nothing frames: no comma, no province, no code. Far from all there are.
"""

from __future__ import annotations

from runtime.redaction.lexicon import word_set

TOWNS = word_set(
    """
    montreal quebec laval gatineau longueuil sherbrooke saguenay levis trois-rivieres terrebonne repentigny brossard
    drummondville saint-jerome granby blainville saint-hyacinthe shawinigan rimouski chateauguay saint-eustache
    victoriaville mascouche mirabel rouyn-noranda boucherville sorel-tracy vaudreuil-dorion salaberry-de-valleyfield
    val-d'or joliette alma saint-georges sainte-julie saint-constant thetford-mines sept-iles beloeil boisbriand
    chambly magog westmount dorval kirkland pointe-claire beaconsfield lachine lasalle verdun anjou outremont
    saint-laurent chicoutimi jonquiere baie-comeau riviere-du-loup matane gaspe amos cowansville saint-lambert
    cote-saint-luc hull aylmer beauport charlesbourg sainte-foy mont-royal mont-tremblant sainte-therese sainte-adele
    la-tuque dolbeau-mistassini roberval toronto ottawa mississauga brampton hamilton london markham vaughan kitchener
    windsor oakville burlington sudbury oshawa barrie guelph cambridge kingston whitby waterloo ajax milton
    thunder-bay brantford pickering niagara-falls peterborough sarnia sault-ste-marie timmins cornwall scarborough
    etobicoke north-york vancouver surrey burnaby richmond abbotsford coquitlam kelowna langley saanich delta kamloops
    nanaimo victoria calgary edmonton red-deer lethbridge medicine-hat airdrie regina saskatoon prince-albert
    moose-jaw winnipeg brandon halifax dartmouth moncton fredericton dieppe saint-john bathurst edmundston
    charlottetown summerside whitehorse yellowknife iqaluit gander corner-brook paris marseille lyon toulouse nice
    nantes montpellier strasbourg bordeaux lille rennes reims toulon saint-etienne le-havre grenoble dijon angers
    nimes villeurbanne saint-denis aix-en-provence clermont-ferrand le-mans brest tours amiens limoges annecy
    boulogne-billancourt perpignan metz besancon orleans rouen montreuil argenteuil mulhouse caen nancy tourcoing
    roubaix nanterre vitry-sur-seine avignon creteil poitiers dunkerque versailles aubervilliers courbevoie
    asnieres-sur-seine colombes cherbourg pau calais cannes antibes ajaccio bastia beziers la-rochelle colmar merignac
    bourges quimper valence troyes lorient saint-nazaire chambery niort vannes cholet saint-malo evry belfort arles
    bayonne brive-la-gaillarde chalon-sur-saone albi carcassonne tarbes blois beauvais angouleme laon chartres gap
    agen auxerre nevers vichy saint-brieuc ivry-sur-seine issy-les-moulineaux levallois-perret pantin
    neuilly-sur-seine clichy meaux melun cergy massy vincennes pessac fort-de-france cayenne saint-pierre mamoudzou
    bruxelles liege gand anvers namur charleroi mons geneve lausanne zurich berne bale neuchatel fribourg luxembourg
    monaco new-york brooklyn manhattan queens bronx los-angeles chicago houston phoenix philadelphia san-antonio
    san-diego dallas austin jacksonville san-francisco columbus indianapolis seattle denver boston detroit nashville
    memphis portland las-vegas baltimore milwaukee albuquerque tucson fresno sacramento atlanta miami oakland
    minneapolis tulsa tampa new-orleans cleveland honolulu anaheim pittsburgh cincinnati orlando buffalo newark
    springfield providence hartford salt-lake-city richmond cambridge washington albany rochester syracuse plattsburgh
    worcester lowell leeds manchester birmingham liverpool bristol sheffield glasgow edinburgh cardiff belfast
    nottingham leicester brighton southampton portsmouth plymouth norwich oxford bath york coventry bradford hull
    sunderland newcastle wolverhampton derby swansea aberdeen dundee exeter reading dublin cork galway limerick
    madison dayton boise tallahassee omaha wichita raleigh charlotte spokane tacoma anchorage birmingham
    chattanooga knoxville louisville lexington akron toledo
    ahuntsic cartierville rosemont villeray hochelaga griffintown westmount hampstead nuns-island ile-des-soeurs
    ville-mont-royal dollard-des-ormeaux ddo pierrefonds roxboro kirkland baie-d'urfe senneville cote-saint-luc
    montreal-nord montreal-est montreal-ouest lachenaie vimont fabreville chomedey duvernay auteuil sainte-rose
    candiac la-prairie delson varennes sainte-catherine mercier beauharnois contrecoeur vercheres saint-basile
    saint-bruno carignan otterburn-park rosemere lorraine bois-des-filion deux-montagnes oka pointe-calumet lavaltrie
    l'assomption rawdon saint-sauveur piedmont val-david val-morin prevost sainte-sophie lachute hawkesbury
    mont-laurier maniwaki chelsea wakefield cantley pontiac shawville buckingham papineauville montebello
    magog coaticook lennoxville waterville stanstead ayer's-cliff north-hatley windsor asbestos bromont waterloo farnham
    bedford granby acton-vale marieville nicolet becancour plessisville princeville warwick louiseville
    grand-mere donnacona portneuf loretteville vanier sillery cap-rouge ancienne-lorette l'ancienne-lorette wendake
    boischatel limoilou montmagny la-pocatiere trois-pistoles mont-joli amqui carleton new-richmond chandler
    perce la-malbaie baie-saint-paul forestville fermont chibougamau mistissini kuujjuaq inukjuak puvirnituq
    val-brillant temiscaming ville-marie la-sarre malartic senneterre chapais saint-felicien la-baie
    riverview miramichi shediac campbellton sackville sussex truro amherst lunenburg bridgewater yarmouth antigonish
    stratford woodstock belleville trenton cobourg orillia collingwood midland newmarket aurora georgetown
    orangeville welland thorold st.-catharines saint-catharines grimsby fort-erie chatham leamington tecumseh
    stouffville bolton caledon nepean kanata orleans gloucester rockland arnprior pembroke brockville smiths-falls
    kenora dryden north-bay elliot-lake huntsville bracebridge gravenhurst penticton vernon prince-george
    new-westminster north-vancouver west-vancouver white-rock maple-ridge port-moody chilliwack courtenay
    campbell-river squamish cranbrook okotoks cochrane canmore banff leduc spruce-grove st.-albert saint-albert
    sherwood-park fort-mcmurray grande-prairie lloydminster camrose yorkton swift-current estevan weyburn steinbach
    portage-la-prairie selkirk labrador-city mount-pearl grand-falls-windsor
    marseilles villejuif bobigny saint-ouen noisy-le-grand champigny maisons-alfort antony clamart sarcelles drancy
    roanne annemasse thonon gap arras douai bethune valenciennes maubeuge epinal bastia frejus hyeres
    sete narbonne montauban castres rodez cahors perigueux bergerac libourne arcachon dax royan saintes rochefort
    thiers moulins montlucon vierzon dreux evreux lisieux alencon laval saumur vitre fougeres saint-lo lannion
    morlaix concarneau creil compiegne soissons senlis aubagne salon istres martigues ixelles uccle schaerbeek
    etterbeek anderlecht molenbeek tournai verviers seraing bastogne nyon vevey montreux sion carouge lugano
    luzern basel bern st.-gallen winterthur biel
    halifax huddersfield stoke-on-trent peterborough luton northampton middlesbrough blackpool bolton stockport
    salford rochdale oldham wigan warrington preston blackburn burnley lancaster carlisle durham gateshead
    doncaster rotherham barnsley wakefield lincoln grimsby ipswich colchester chelmsford basildon southend watford
    slough maidstone canterbury hastings eastbourne crawley guildford woking winchester salisbury
    bournemouth poole swindon gloucester cheltenham worcester hereford shrewsbury telford chester crewe stafford
    newport wrexham bangor inverness stirling paisley falkirk derry lisburn waterford
    jersey-city yonkers long-island-city astoria flushing staten-island white-plains stamford new-haven bridgeport
    montpelier burlington portsmouth nashua lewiston bangor scranton allentown erie wilmington trenton camden
    newport-news norfolk arlington alexandria bethesda rockville silver-spring durham greensboro chapel-hill
    asheville charleston savannah augusta macon montgomery huntsville jackson baton-rouge shreveport
    little-rock fayetteville fort-worth el-paso arlington plano garland irving lubbock laredo amarillo waco
    corpus-christi brownsville galveston wichita-falls lincoln des-moines cedar-rapids davenport peoria
    rockford naperville evanston aurora joliet gary fort-wayne south-bend bloomington evansville ann-arbor
    grand-rapids lansing flint kalamazoo green-bay duluth fargo bismarck sioux-falls rapid-city billings missoula
    cheyenne boulder fort-collins colorado-springs santa-fe scottsdale mesa tempe chandler glendale reno
    berkeley san-jose palo-alto santa-barbara santa-cruz bakersfield long-beach pasadena santa-monica
    riverside irvine eugene bellevue olympia everett yakima
    berlin hamburg munich munchen koln cologne frankfurt stuttgart dusseldorf dresden leipzig vienna wien graz
    salzburg innsbruck linz amsterdam rotterdam utrecht eindhoven den-haag groningen haarlem antwerpen gent
    copenhagen kobenhavn aarhus odense aalborg oslo bergen trondheim stavanger stockholm goteborg malmo uppsala
    helsinki espoo tampere turku reykjavik rome roma milan milano turin torino naples napoli florence firenze venice
    venezia bologna genova palermo madrid barcelona valencia sevilla zaragoza malaga bilbao lisbon lisboa porto
    coimbra athens athina thessaloniki warsaw warszawa krakow wroclaw gdansk poznan lodz prague praha brno
    ostrava bratislava budapest debrecen bucharest sofia belgrade zagreb ljubljana tallinn riga vilnius moscow
    kyiv lviv istanbul ankara izmir cairo casablanca rabat fes marrakech tanger alger algiers oran tunis sfax
    dakar abidjan bamako conakry lome cotonou douala yaounde libreville kinshasa lagos abuja accra nairobi
    kampala kigali johannesburg cape-town durban pretoria beirut beyrouth tel-aviv jerusalem dubai riyadh
    tehran karachi lahore islamabad delhi new-delhi mumbai bangalore bengaluru chennai kolkata hyderabad dhaka
    colombo bangkok hanoi singapore jakarta manila taipei tokyo osaka kyoto seoul beijing shanghai sydney melbourne
    brisbane perth adelaide auckland wellington christchurch mexico-city guadalajara monterrey bogota medellin
    lima quito caracas santiago buenos-aires montevideo sao-paulo rio-de-janeiro salvador brasilia curitiba
    port-au-prince cap-haitien santo-domingo havana kingston port-of-spain bridgetown
    """
)
COUNTRIES = word_set(
    """
    canada france usa u.s.a u.s. us united-states united-states-of-america etats-unis belgique belgium belgie belgien
    suisse switzerland schweiz svizzera luxembourg uk u.k united-kingdom royaume-uni great-britain england angleterre
    scotland ecosse wales ireland northern-ireland irlande germany allemagne deutschland austria autriche osterreich
    netherlands the-netherlands nederland pays-bas denmark danemark danmark norway norvege norge sweden suede sverige
    finland finlande suomi iceland islande spain espagne espana portugal italy italie italia greece grece poland
    pologne polska czech-republic czechia tchequie slovakia slovaquie slovenia slovenie hungary hongrie croatia
    croatie serbia serbie romania roumanie bulgaria bulgarie estonia estonie latvia lettonie lithuania lituanie
    ukraine russia russie turkey turquie cyprus chypre malta malte greenland groenland monaco morocco maroc algeria
    algerie tunisia tunisie egypt egypte senegal cote-d'ivoire ivory-coast cameroon cameroun mali benin togo gabon
    congo rwanda madagascar nigeria ghana kenya south-africa afrique-du-sud ethiopia lebanon liban israel jordan
    india inde pakistan bangladesh sri-lanka china chine japan japon south-korea coree-du-sud vietnam viet-nam thailand
    thailande philippines indonesia singapore malaysia australia australie new-zealand nouvelle-zelande mexico mexique
    brazil bresil brasil argentina argentine chile chili colombia colombie peru perou uruguay venezuela ecuador
    haiti jamaica jamaique cuba dominican-republic republique-dominicaine
    """
)
