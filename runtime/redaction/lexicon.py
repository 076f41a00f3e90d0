"""Words that help to tell a name from a common word: given names, surnames, titles, places that identify nobody.

Lists of facts, written for this project: the most frequent given names and surnames of Québec, Canada, France and their
immigration. A word here is a hint, never a finding by itself; `names.py` weighs it.
"""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """A list of words, written as text, as a set."""
    return frozenset(words.split())


GIVEN_NAMES = word_set(
    """
    aaliyah abby abdoulaye abdul abdullah abigail adam adama addison adebayo adel adèle aditya adrian adriana adrien
    agathe agnès agnieszka ahmed aida aimée aisha aissata aïcha aïssatou akash akiko alain alan albert albertine
    alejandro aleksandr alessandro alessia alex alexa alexander alexandra alexandre alexia alexis alfonso alfred
    alfredo ali alice alicia alina aline alison allan alphonse alvaro amadou amal amanda amara amaury amber amelia
    amélie amina aminata amine amir amira amit amy ana anaïs anand anastasia andrea andreas andrei andrew andré
    andréa andrée andy aneta angela angèle angélique anika anil anita anjali ann anna annabelle anne anneliese
    annette annick annie anouk anselme anthony antoine anton antonia antonin antonio antony apolline april archie
    ari aria ariane arianne ariel arjun armand arnaud arnold arsène arthur arturo ashley ashok asma assia astrid
    athéna audrey aurélie aurélien aurore ava avery awa ayaan ayesha ayla ayoub aziz babacar bahia bao baptiste
    barbara bart basile basma bastien beatriz belinda benedict benjamin benoit benoît benoîte bernadette bernard
    bernice bertrand beth betty beverly béatrice béla bérénice bianca bilal bill bintou blaise blanche blessing bob
    bobby boris brad bradley brandon brayan brenda brendan brett brian brigitte brooke bruce bruno bryan bryce brynn
    caitlin caleb calvin camila camille candice capucine carine carl carla carlo carlos carmen carol carole
    carole-anne carolina caroline carolyn carter casey cassandra catherine cathy cécile cédric céleste célestin
    célia céline césar chantal charles charlie charlotte cheikh chen cheryl chiara chidi chinedu chioma chloe chloé
    chloë chris christabel christelle christian christiana christiane christina christine christophe christopher
    ciara cindy claire clara clarisse claude claudette claudia claudie claudine clémence clément clémentine cléo
    clovis colette colin colleen connor conrad constance constantin cora coralie cordélia corentin corinne cosmin
    courtney craig cristina cynthia cyprien cyril cyrille dalia damian damien daniel daniela danielle danny daphné
    dario darius darren darya dave david dawn deborah debra deepak delia delphine demba denis denisa denise deniz
    dennis derek desmond devon diallo diana diane diarra didier diego dimitri dina dion djamel djibril domenico
    dominic dominique donald donna dorian doriane doris dorothée dorothy douaa doug douglas drissa duncan dylan
    ebony edith eduardo edward efua eileen ekaterina elaine eleanor elena eli eliana elias elif elijah elina elio
    eliott elisa elizabeth ella ella-rose ellen elliot elliott eloise elsa elvira emanuel emily emma emmanuel
    emmanuelle emmett emre enzo ephraim eric erica erik erika erin ernest ernesto erwan esma esperanza estelle
    estéban esther ethan ettore eugène eugénie eva evan evangeline evelyn evelyne ève édith édouard édouardine
    éléonore éliane élie élisa élisabeth élise élodie éloi éloïse émeline émile émilie émilien éric étienne évelyne
    fabien fabienne fabio fabiola fabrice fadi fadila faith fanny fanta farah farid farida farouk fatima fatimata
    fatou faustine felix ferdinand fernand fernanda félicia félicie félicité félix filip filippo finn fiona flavie
    flora florence florent florentin florian folake frances francesca francesco francis francisco franck françois
    françois-xavier françoise frank fred frederick frederik frédéric frédérique gabin gabriel gabriela gabriele
    gabrielle gaétan gaétane gaël gaëlle gareth gary gaspard gaston gauthier gemma geneva geneviève geoffrey george
    georges georgia gerhard germain gertrude gérald gérard ghada ghislain ghislaine gianna gilbert gilberte gilles
    gina ginette giorgio giovanni gisèle giulia giuseppe gloria godefroy gonzalo gordon grace graham grant greg
    gregor gregory greta grégoire grégory guadalupe guillaume guillermo gunther gustave guy guylaine gwen gwenaëlle
    hadrien haïm hakim hamid hamza hana hanane hank hannah hans harold harry haruto hassan hayden heather hector
    heidi helen helena helga helmut henri henriette henry herbert hervé hélène hiba hichem hilary hippolyte hiroshi
    holly honoré houda howard hubert hugo hugues hussein hyacinthe ian ibrahim ibtissem ida ignacio igor ikram ilan
    ileana ilham ilyas iman imane imran indira ines inès inga ingeborg ingrid iñigo ionut irene irène iris isaac
    isabeau isabel isabella isabelle isadora isaïe ishaan ismaël ismail issa itzel ivan ivana jace jack jackie jacob
    jacqueline jacques jade jade-émilie jaime jakub jamal james jamie jamila jan jana jane janet janice janick janie
    jannick jared jarod jasmin jasmine jason jason-lee javier jean jean-guy jean-marc jean-paul jeanne jeannette
    jeannine jeff jeffrey jenna jennifer jenny jenny-lee jeremiah jeremy jerry jessica jessie jérémie jérémy jérôme
    jim jim-bob jimmy jing joachim joan joana joanie joanna joanne joaquin jocelyn jocelyne joe joel joël joëlle
    johan johann johanne john johnny jolène jonas jonathan jordan jorge jorja jose joseph josephine josette josé
    josée josépha joséphine josh joshua josiane josianne josue joy joyce juan juanita judith judy jules julia julian
    juliana juliane julie julien julieta juliette june justin justine kadiatou kaia kamal kamala kamel kamila karen
    karim karine karol karolina katarina katarzyna kate katherine kathleen kathy kathy-ann katia katie katrina kaya
    kayla keiko keith kelly ken kenji kenneth kenza kerry kevin khadija khaled khalid kiara kim kim-ngan kimberly
    kiran kirk kofi kristen kristin kristina krzysztof kwame kyle ladislas laetitia laïla lamia lana lara larry lars
    latifa laura laure lauren laurence laurent laurène laurianne laurie lazare leah leandro lee leila leilani lena
    lenny leonard leonardo leopold leslie leticia lewis leyla léa léandre léo léon léonie léopold li liam lili lilia
    lilian liliane lilou lily lina linda lindsay line linh lisa lisandre lise livia logan loïc lola lorena lorenzo
    lori lorraine lou louane louis louisa louise louison luan luc luca lucas lucette lucia luciano lucie lucien
    lucille ludivine ludovic luis lukas luke lune lydia lydie lyna lyne lynn mackenzie maddie madeleine madison mael
    maeve maéva maëlle maëva magali magalie magdalena maggie magnus mahdi mahmoud maïté malek malik malika malo
    mamadou mandy manel manolo manon manuel manuela marc marcel marcela marcelin marceline marcelle marcello marco
    marcus margaret margaux margot marguerite maria mariam mariama marianne marie mariel marielle mariette marilou
    marilyn marin marina mario marion marisa marius marjolaine marjorie mark marko marlene marlène marlon marta
    martha martin martina martine marwa mary maryam maryse mason massimo mateo mateusz matéo mathéo mathias mathieu
    mathilde mathis matilda matt matteo mattéo matthew matthias matthieu maud maude maureen maurice mauro max
    max-antoine maxence maxim maxime maya megan mehdi mei mei-ling melanie melina melissa melvin mercedes meriem
    meryem mégane mélanie mélissa mia mia-rose micah michael michaël michel michelle michèle miguel mihai mikaël
    mike mikhail milan milena milo mina ming minh miranda mireille miriam mirko miroslav mitch modibo moha mohamad
    mohamed mohammed moïse molly mona monica monika monique morgan morgane moritz mouhamed moussa moustapha muhammad
    murielle mustafa mylène myriam nabil nadège nadia nadine nahla naïma najat nana naomi naoual narcisse nassim
    natacha natalia natalie natasha nathalie nathan nathaniel nawal nayla neil nelly nelson nestor ngozi nicholas
    nick nicolas nicole nikita nikola nikolai nils nina nino noah noé noélie noémie noël noor nora norbert noreen
    norma norman normand nouha nour océane octave odette odélie odile olaf oleg oleksandr olena olga oliver olivia
    olivier olympe omar omer oriane orianne orlando oscar otto oumar oumou ousmane owen pacôme paige pamela paola
    paolo parker pascal pascale pasquale patrice patricia patrick paul paula paule paulette pauline pauline-rose
    pavel pearl pedro penelope perla perrine peter petra petronille pépin pétra phil philip philippe philomène
    phoebe pierre pierrette pietro pina piotr placide pooja priscilla priya prudence qasim quentin rachel rachid
    rafael rafaela rafik rahul raïssa raj ralph ramon ramona rania raoul raphaël raphaëlle raquel rasha ravi rayan
    raymond raymonde rebecca reda reina remy renata renaud rené renée reza régine régis réjean réjeanne rémi rémy
    rhéa rhonda riad ricardo richard ricky rim rita rob robert roberta roberto robin roch rocío rodney rodrigue
    roger roland rolande romain roman romane romaric romy ronald ronan rosa rosalba rosalie rosalind roseline
    roselyne rosemary rosetta rosie ross roula roxane roxanne roy ruben ruby rudolf rudy rufus ruslan ruth ryan
    sabah sabine sabrina sabrine sacha sadia safia said saïd salem salim salimata sally salma salomé salvatore sam
    samantha samia samir samira samuel sanaa sandra sandrine sandro sanja sanjay santiago saoirse sara sara-maude
    sarah sasha saul savannah scott sean selena selma serena serge sergei sergey sergio seydou sébastien sébastienne
    séverine shana shanelle shannon shanon sharon shauna shawn sheila shirley shreya sidonie sienna sigrid silvia
    siméon simon simona simone simran sixtine skye slimane sofia sofiane solange soledad solène soline sonia sophia
    sophia-rose sophie soraya stacy stan stanislas stefan stefania stefano stella stephan stephanie stephen steve
    steven stewart stéphane stéphanie stuart sully sumaya sunita susan susana suzanne suzie sven svetlana swann
    sydney sylvain sylvestre sylvette sylvia sylviane sylvie tahar tamara tanguy tania tanya tara tariq tatiana
    tatyana taylor ted teresa terrence terry tessa thalia thanh theodore theresa théa théo théodore thérèse thibaud
    thibault thibaut thierry thomas tiago tiana tiffany tim timothée timothy tina titouan tobias toby todd tom tomas
    tomasz tommy toni tony tracey tracy travis trevor tricia tristan trudy tunde tyler ulrich ulysse umar ursula
    valentin valentina valentine valeria valerie valérie vanessa vanina vasile vassili vera veronica véronique
    vianney vicky victor victoria victorine vijay viktor viktoriya vincent vincenzo viola violaine violet violette
    virgile virginia virginie vito vivian viviana viviane vladimir vladislav wafa wahid walid walter wanda warda
    warren wassim wayne wei wendell wendy werner wiktor wilfrid wilhelm will willem william william-alexandre wilson
    winnie wolfgang xander xavier xi xiang xiao yacine yael yahya yan yang yann yannick yannis yara yasin yasmin
    yasmina yasmine yassine yaya yelena ying ying-yue ylan yoann yohan yohann yolanda yolande youri yousra youssef
    yuki yuri yusuf yvan yves yvette yvon yvonne yvonnick zacharie zachary zahra zainab zara zeinab zélie ziad zineb
    zinedine zoe zoey zoé zohra zuzanna
    """
)
SURNAMES = word_set(
    """
    abbott abdi abebe adams adeyemi ahmed alaoui alarie ali allard allen almeida amrani anderson andrews archambault
    arsenault aubin aubry audet bailey baker banerjee baptiste barbeau baril baron barrette bauer beauchamp
    beauchemin beaudoin beaudry beaulieu beaupré beauregard bell bellemare ben-salah benali benhaddou bennani benoit
    bensalem bergeron bernard bernier berthiaume bertrand bédard bégin bélair bélanger bérubé bianchi bilodeau blais
    blanchard blanchet blouin boateng boily boisvert boivin bolduc bonneau bose bouchard boucher boudreau boukhari
    boulanger boulay bourassa bourgeois bourque boutin boyer brassard breton brisson brochu brooks brown brunet
    bryant bui bureau butler byrne camara campbell campeau cantin caron carpenter carrier carter castillo castonguay
    celik chabot chagnon champagne chan charbonneau charest charette charlebois charles charron chartrand chatterjee
    chaudhary chen cherif cheung chevalier choi chouinard chowdhury cisse clark cloutier cohen coleman collins
    comeau cooper corbeil cormier costa coulibaly couture cox côté crawford cruz cyr d'amours daigle dallaire dang
    daoust das davis delisle delorme demers demir deschamps deschênes desgagné desir desjardins deslauriers
    desrochers desrosiers diallo diaz dinh dion dionne doucet doyle doyon drolet dubeau dubé dubois dubuc duchesne
    dufour dufresne duguay dumas dumont duong dupont dupuis durand duval edwards el-amrani emond esposito etienne
    evans eze fall faucher ferland fernandez ferrari ferreira filion fischer fisher fitzgerald fleury flores
    fontaine forest forget fortier fortin foster fournier fraser gagné gagnon gallagher garcia gaudet gaudreau
    gauthier gauvin gendron genest georgiou germain gervais gélinas giguère gilbert gill gingras girard giroux
    gobeil godin gomez gonzalez gosselin goulet graham grant gravel gravel-roy green grenier griffin grondin guay
    guerrero gueye guérard guérin guo gupta haddad hall hamdi hamel hamilton harris harrison harvey hassan he
    henderson hernandez hébert hill ho hoang hoffmann horvat houle howard hu huard hudon hughes huot hussain huynh
    islam ivanov ivanova iyer jackson jacques jean jean-baptiste jean-pierre jenkins jobin johnson johnston joly
    jones joseph jung kang kapoor kaur kaya keita kelly kennedy khan khoury kim king kobayashi kone kovac kowalczyk
    kowalski kumar kuznetsov labbé labelle laberge labonté labrecque lacasse lachance lacroix laflamme lafleur
    lafontaine laforest lafortune lafrance lalonde lam lamarre lambert lamontagne lamoureux landry langlois lapierre
    laplante lapointe laporte larivière laroche larose larouche larue lau lavallée laverdière lavoie lebel leblanc
    leclair leclerc leduc lee lefebvre legault lemay lemieux lemire lepage lepine leroux leroy lessard leung
    levasseur lewis légaré lépine létourneau lévesque liang lim lin loiselle longpré lopez lortie louis-jean luo ly
    ma macdonald mackenzie maclean macneil maheux mai mailhot mailloux major malhotra malik malo maltais mansour
    marchand marcil marcotte marcoux marquis martel martin martinez martinez-ruiz massé masson mathieu mbaye
    mcdonald mclean mcleod mehta mendoza mensah mercier messier meunier meyer ménard michaud miller mitchell mohamed
    moore moreau moreno moretti morin morneau morris morrison mukherjee murphy murray mwangi myers nadeau nadon nair
    nakamura nassar naud ndiaye nelson neveu ng ngo nguyen noël normandin novak nowak nwosu o'brien o'connor o'neil
    o'reilly okafor okonkwo oliveira olsen omar ortiz osman otieno ouattara ouellet ouellette ouimet page pagé
    palardy papadopoulos papineau paquet paquette paquin paradis parent parenteau paré park parker patel patry
    pelletier pelletier-roy pepin pereira perez perez-lopez perras perreault perron perry petit petrov pham phan
    phaneuf phillips picard pierre-louis pilon pinard plante plourde poirier poitras pomerleau popov poulin powell
    prévost price proulx provencher provost prud'homme quirion qureshi racine rahman rainville ramirez rao raymond
    reddy reed renaud reyes reynolds ricci richard richardson rioux rivard rivera rivest roberge robert roberts
    robinson robitaille rochon rodrigue rodriguez roger rogers rojas romano rondeau ross rossi rousseau roussel
    rousselle roy russell russo sabourin saleh sanchez sanders santos sato sauvé savard savoie schmidt schneider
    scott seguin sen séguin sénéchal shah sharma sheikh siddiqui silva simard simmons simon singh sirois smirnov
    smith sokolov song soucy souza sow st-amour st-arnaud st-denis st-germain st-jean st-laurent st-louis st-onge
    st-pierre stewart sullivan sun suzuki tanaka tang tanguay tardif taylor tesfaye tessier therrien thériault
    thibault thibodeau thomas thompson torres toure toussaint tran traoré tremblay trépanier trottier trudeau trudel
    truong tucker turcotte turgeon turner vachon vaillancourt vallée valois vargas veilleux verdon verreault vézina
    vigneault villeneuve vincent vo volkov vu wagner walker walsh wang ward washington watson weber weber-meyer
    white williams wilson wisniewski wong wood wright wu xu yamamoto yang yilmaz yoon young zhang zheng zhou zhu
    ziani
    """
)
TITLES = word_set(
    "m. mr mr. mrs mrs. ms ms. miss mme mme. mlle mlle. mmes mm. dr dr. dre dre. prof prof. me maître monsieur madame "
    "mademoiselle docteur docteure doctor "
    "professeur professeure professor sir lady lord judge juge justice sgt sgt. cpl lt. capt. capt rev. rev père "
    "soeur frère"
)
# Places too large to point at anyone, as one lower-case string each.
LARGE_PLACES = frozenset(
    """
    afghanistan|afrique|africa|afrique du sud|south africa|albanie|albania|algérie|algeria|allemagne|germany|amérique|
    amérique du nord|america|north america| south america|angleterre|england|arabie saoudite|saudi arabia|argentine|
    argentina|arménie|armenia|asie|asia|australie|australia|autriche|austria|belgique| belgium|brésil|brazil|bulgarie|
    bulgaria|cambodge|cambodia|cameroun|cameroon|canada|chili|chile|chine|china|colombie|colombia|corée|corée du sud|
    south korea| korea|côte d'ivoire|ivory coast|croatie|croatia|cuba|danemark|denmark|écosse|scotland|égypte|egypt|
    espagne|spain|estonie|estonia|états-unis|etats-unis| united states|the united states|united states of america|usa|
    u.s.|us|u.s.a.|éthiopie|ethiopia|europe|union européenne|european union|eu|ue|finlande|finland| france|la france|
    le canada|le québec|géorgie|ghana|grande-bretagne|great britain|grèce|greece|guinée|haïti|haiti|hongrie|hungary|
    inde|india|indonésie|indonesia|iran| iraq|irak|irlande|ireland|islande|iceland|israël|israel|italie|italy|jamaïque|
    jamaica|japon|japan|jordanie|jordan|kenya|liban|lebanon|libye|libya| lituanie|luxembourg|madagascar|malaisie|
    malaysia|mali|maroc|morocco|mexique|mexico|moyen-orient|middle east|népal|nepal|nigéria|nigeria|norvège|norway|
     nouvelle-zélande|new zealand|océanie|pakistan|pays-bas|netherlands|the netherlands|pérou|peru|philippines|pologne|
    poland|portugal|royaume-uni|united kingdom| the united kingdom|the uk|uk|u.k.|roumanie|romania|russie|russia|
    rwanda|sénégal|senegal|serbie|serbia|singapour|singapore|slovaquie|slovénie|suède|sweden| suisse|switzerland|syrie|
    syria|taïwan|taiwan|thaïlande|thailand|tunisie|tunisia|turquie|turkey|ukraine|vatican|venezuela|vietnam|québec|
    quebec|ontario|alberta| manitoba|saskatchewan|nouvelle-écosse|nova scotia|nouveau-brunswick|new brunswick|
    colombie-britannique|british columbia|terre-neuve|newfoundland|yukon|nunavut| île-du-prince-édouard|
    prince edward island|california|californie|texas|florida|floride|new york|washington|antarctique|antarctica|
    arctique|arctic|atlantique| atlantic|pacifique|pacific|méditerranée|mediterranean|terre|earth|lune|moon|mars|
    soleil|sun|nord|sud|est|ouest|north|south|east|west|occident|orient
    """.replace("\n", "").replace("    ", "").split("|")
)  # fmt: skip
# Capitalised by habit or by place in the sentence, and taken for names by small models.
NOT_NAMES = word_set(
    """
    acme address admin adresse allemand allô amazon american américain android anglais angular annexe août api apple
    april arabic article assemblée assistant attention august authorization avril à bcc bearer best bien bluetooth
    bon bonjour bonne bonsoir born canadian canadien canadienne carte cc cci chapitre chatgpt cheers cher chère
    chinese christmas claude-ai client clients comité commande conseil contrat cordialement cour courriel cpu css
    csv date de dear december dept destinataire décembre dimanche directeur directrice django docker dossier e-mail
    easter email employé english espagnol european européen excel expéditeur facebook facture fastapi february
    février fichier figure file flask français française french friday from fw fwd german git github gitlab go good
    google gouvernement gpt gpu happy hello here hey hi html http https iban important inc internet ios january
    janvier java javascript jeudi joyeuse joyeux json juillet juin july june kotlin kubernetes linux llama location
    loi lundi macos madame mai march mardi mars may merci mercredi meta microsoft ministère ministre mistral monday
    monsieur name nas nb netflix né née nip node noël nom note november novembre npm numéro objet october octobre ok
    openai order organization outlook page password patient patients pâques pdf person phone php pin pip placeholder
    please policy powerpoint président présidente ps python québécois québécoise qwen ram ramq re react recipient
    ref regards règlement réf ruby rust s'il saaq sales salut salutations samedi saturday section selon sender
    september septembre sin sincerely slack spanish sql ssd subject sujet sunday svp swift system tableau teams tel
    tél téléphone thank thanks thursday to todo token total tps tr tribunal tuesday tvq twitter typescript urgent
    url usb user username vendredi vitale voici vue web wednesday wifi windows word xml yaml youtube zoom
    """
)
