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
    adam adèle adrien agathe agnès ahmed aïcha aïssatou alain alan albert alejandro alex alexa alexander alexandra
    alexandre alexia alexis alfred ali alice alicia aline alison allan amadou amanda amber amélie amina amir amy ana
    anaïs anastasia andré andréa andrea andrée andrew andy angela angèle angélique anita ann anna anne annabelle
    annette annick annie anouk anthony antoine antonio antony april ariane arianne arnaud arthur ashley astrid aurélie
    aurélien audrey ayoub aziz baptiste barbara bastien béatrice beatriz benjamin benoit benoît bernadette bernard
    bertrand beth betty beverly bianca bilal bill bob bobby brad bradley brandon brenda brendan brett brian brigitte
    bruce bruno bryan caitlin camila camille carl carla carlos carmen carol carole carolina caroline carolyn casey
    cassandra cathy catherine cécile cédric céline chantal charles charlie charlotte chen cheryl chloé chloe chris
    christelle christian christiane christina christine christophe christopher cindy claire clara clarisse claude
    claudette claudia claudine clément clémence colette colin colleen constance coralie corinne craig cristina cynthia
    cyril daniel daniela danielle danny daphné darren dave david deborah debra delphine denis denise dennis derek diana
    diane didier diego dimitri dominic dominique donald donna doris dorothée dorothy doug douglas duncan dylan édith
    edith édouard eduardo edward éléonore elena eleanor eli éliane elias élie elijah élisabeth elizabeth élise ella
    ellen elliot élodie éloïse emily emma emmanuel emmanuelle éric eric erica erik erin ernest estelle esther ethan
    étienne eugène eugénie eva evan évelyne evelyn ève fabien fabienne fabrice fanny farah farid fatima fatimata fatou
    félix felix fernand fernanda fiona flavie florence florian françois françoise frances francis francisco franck
    frank fred frédéric frédérique frederick gabriel gabriela gabrielle gaël gaëlle gary gaston geneviève geoffrey
    george georges georgia gérald gérard germain ghislain ghislaine gilbert gilles gina ginette giovanni gisèle giulia
    gordon grace graham grégoire grégory greg gregory guillaume gustave guy gwenaëlle hakim hamid hamza hannah harold
    harry hassan heather hector hélène helen helena henri henry herbert hervé holly hubert hugo hugues hussein ian
    ibrahim igor imane inès ines ingrid irène irene iris isaac isabel isabella isabelle ismaël ivan jack jackie jacob
    jacqueline jacques jade james jamie jamila jan jane janet janice jason javier jean jeanne jeannine jeff jeffrey
    jenna jennifer jenny jeremiah jeremy jérémie jérémy jérôme jerry jessica jessie jim jimmy joan joanie joanna joanne
    jocelyn jocelyne joe joël joel johanne john johnny jonathan jordan jorge josé jose josée joseph joséphine josephine
    josh joshua josiane josianne joy joyce juan juanita judith judy jules julia julian juliana julie julien juliette
    justin justine karen karim karine kate katherine kathleen kathy katia katie kayla keith kelly ken kenneth kevin
    khadija khalid kim kimberly kyle laetitia lamia larry laura laure laurence laurent laurie laurianne lauren léa leah
    lee leila léo léon leonard leonardo léonie leslie leticia lewis liam lili liliane lily lina linda lindsay line lisa
    lise logan loïc lola lorenzo lori lorraine louis louise luc luca lucas lucia lucie lucien lucille ludovic luis luke
    lydia lydie lyne lynn maëlle maëva mackenzie madeleine mael magalie magali maggie malika malik mamadou manon manuel
    marc marcel marcelle marco marcus margaret margaux margot marguerite maria mariam mariama marianne marie mariel
    marielle marilou marilyn marina mario marion marisa marjolaine marjorie mark marlène marlon martha martin martine
    mary maryse mason mateo mathieu mathilde mathis matt matthew matthieu maude maureen maurice max maxime maxim maya
    megan mégane mehdi mélanie melanie mélissa melissa mia micah michael michaël michèle michel michelle miguel mike
    mikaël mireille miriam mohamed mohammed moha mona monica monika monique morgan morgane mouhamed moussa muhammad
    murielle mustafa myriam nadège nadia nadine naomi natacha natalia natalie natasha nathalie nathan nathaniel
    nicholas nick nicolas nicole nina noah noé noël noémie nora norma normand norman nour odette odile olga oliver
    olivia olivier omar oscar owen paige pamela paola pascal pascale patrice patricia patrick paul paula paule pauline
    pedro penelope perrine peter pétra phil philip philippe pierre pierrette priscilla quentin rachel rachid rafael
    ralph ramon raoul raphaël raphaëlle raymond raymonde rebecca régine régis réjean réjeanne rémi rémy rené renée
    renaud ricardo richard rita rob robert roberta roberto robin rodrigue roger roland romain roman rosa rosalie
    rosemary ross roxane roxanne roy ruben ruth ryan sabine sabrina salma sally salim sam samantha samira samir samuel
    sandra sandrine sara sarah sasha scott sean sébastien selena serge sergio séverine shannon sharon shawn sheila
    shirley sidonie simon simone sofia solange sonia sophia sophie stacy stan stanislas stella stéphane stéphanie
    stephanie stephen steve steven stewart stuart susan suzanne suzie sylvain sylvette sylvie sylvia tamara tania tanya
    tara tatiana taylor ted teresa terrence terry théo théodore theodore thérèse thierry thomas tiffany tim timothée
    timothy todd tom tommy tony tracy travis trevor tristan tyler ursula valentin valentina valentine valérie valerie
    vanessa vera véronique veronica vicky victor victoria viktor vincent violaine virginia virginie vivian viviane
    vladimir walter wanda warren wayne wendy wilfrid will william xavier yan yann yannick yasmine yassine yolande
    youssef yousra aaliyah abby abigail adama addison adel aditya adriana adrian agnieszka aida aimée aisha aissata
    akash akiko alain albertine aleksandr alessandro alessia alfonso alfredo alina alphonse alvaro amal amara amaury
    amelia aminata amine amira anand andreas andrei aneta anika anjali anneliese anselme anton antonia antonin apolline
    archie ari aria ariel armand arnold arsène arturo asma ashok assia athéna aurore ava avery awa ayaan ayesha ayla
    babacar bahia bao bart basile basma béla belinda benedict benoîte bérénice bernice bintou blaise blanche blessing
    boris brayan brooke bryce brynn caleb calvin candice capucine carine carlo carole-anne carter célestin céleste
    célia césar chiara chinedu chioma chloë christabel christiana ciara claudie clémentine cléo clovis connor conrad
    constantin cora cordélia corentin cosmin courtney cyprien cyrille dalia damien damian danielle dario darius darya
    dawn deborah delia demba denisa deniz desmond devon diallo diarra dina dion djamel djibril domenico dorian doriane
    douaa drissa ebony édouardine efua eileen ekaterina elaine eliana elif elina elio elisa élisa eliott ella-rose
    elliott éloi eloise elsa elvira emanuel émeline émile émilie émilien emmett emre enzo ephraim erika ernesto erwan
    esperanza esma estéban ettore evangeline evelyne fabio fabiola fadi fadila faith fanta farida farouk faustine
    félicia félicie félicité ferdinand filip filippo finn flora florent florentin francesca francesco françois-xavier
    frederik gabin gabriele gaétan gaétane gareth gaspard gauthier gemma geneva gerhard gertrude ghada gianna gilberte
    giorgio giuseppe gloria godefroy gonzalo grant gregor greta guadalupe guillermo gunther guylaine gwen hadrien haïm
    hamza hana hanane hank hans haruto hayden heidi helga helmut henriette hiba hichem hilary hippolyte honoré houda
    howard hyacinthe ibtissem ida ignacio ikram ilan ileana ilham ilyas iman imran indira inga ingeborg iñigo ionut
    isaïe isabeau isadora ishaan ismail issa itzel ivana jace jade-émilie jakub jamal jana janick janie jannick jared
    jarod jason-lee jasmin jasmine jaime jean-guy jean-marc jean-paul jeannette jenny-lee jérémie jim-bob joachim joana
    joaquin jocelyn joëlle johan johann jolène jonas jorja josépha josette josue juliane julieta june justine kadiatou
    kaia kamal kamel kamila kamala karol karolina katarina katarzyna kathy-ann katrina kaya keiko kenza kerry khaled
    kiara kim-ngan kiran kirk kristen kristin kristina krzysztof ladislas laïla lana lara lars latifa laurène lazare
    leandro léandre leilani lena lenny leopold léopold leyla lilia lilian lilou lisandre livia lorena lou louane louisa
    louison luan lucette luciano ludivine lukas lune lyna maddie madison maeve maéva magdalena magnus mahdi mahmoud
    maïté malek malo mandy manel manolo manuela marcela marcelin marceline marcello mariette marin marius marko marlene
    marta martina maryam marwa massimo mateusz matéo mathéo mathias mathis matilda matteo mattéo matthias maud mauro
    max-antoine maxence mei-ling melina melvin mercedes meriem meryem mia-rose mihai mikhail milan milena milo mina
    miranda mirko miroslav mitch modibo mohamad moïse molly moritz moustapha mylène nabil nadège nahla naïma najat nana
    naoual narcisse nassim nawal nayla neil nelly nelson nestor nikita nikola nikolai nils nino noélie noor noreen
    norbert nouha octave océane odélie olaf oleg oleksandr olena olympe omer orlando orianne oriane otto oumou pacôme
    paolo parker pasquale paulette pauline-rose pavel pearl pépin perla petra petronille philomène phoebe pietro piotr
    pina placide prudence qasim rafaela rafik raïssa ramona rania raquel rasha ravi rayan reda reina rémi remy renata
    reza rhéa rhonda riad ricky rim roch rocío rodney rolande romane romaric romy ronald ronan rosalind rosalba
    roseline rosetta rosie roselyne roula ruby rudolf rudy rufus ruslan sabah sabrine sacha sadia safia said saïd salem
    salimata salomé salvatore samia samira sanaa sandrine sandro sanja santiago saoirse sara-maude saul savannah
    sébastienne selma serena sergei sergey seydou shana shanelle shanon shauna shreya sienna sigrid silvia siméon
    simona simran sixtine skye slimane sofiane soledad solène soline sophia-rose soraya stefan stefano stefania stephan
    sully sumaya susana sven svetlana swann sydney sylvestre sylviane tahar tanguy tariq tatyana tessa thalia théa
    theresa thibaud thibault thibaut tiago tiana tina titouan tobias toby tomas tomasz toni tracey tricia tristan trudy
    ulrich umar ulysse valeria vanina vasile vassili vianney victorine viktoriya vincenzo viola violet violette virgile
    vito viviana vladislav wafa wahid walid warda wassim wendell werner wiktor wilhelm willem william-alexandre wilson
    winnie wolfgang xander xi xiang xiao yael yacine yahya yang yannis yara yasin yasmin yasmina yaya yelena ying-yue
    ylan yohan yohann yoann yolanda youri yuri yusuf yvonnick zahra zara zeinab zélie zineb ziad zohra zuzanna zinedine
    yuki yves yvan yvette yvon yvonne zachary zacharie zainab zoé zoe zoey wei ming jing li mei ying hiroshi kenji
    priya raj rahul anil sunita deepak arjun sanjay vijay amit pooja oumar ousmane abdoulaye abdul abdullah cheikh kofi
    kwame chidi ngozi adebayo tunde folake linh minh thanh
    """
)
SURNAMES = word_set(
    """
    abbott abdi adams ahmed alarie allard allen anderson andrews archambault arsenault aubin aubry audet bailey baker
    barbeau baril baron barrette beaudoin beaulieu beauchamp beauchemin beaudry beaupré bédard bégin bélair bélanger
    bell bellemare benoit bergeron bernard bernier berthiaume bertrand bérubé bilodeau blais blanchard blanchet blouin
    boily boisvert boivin bolduc bonneau bouchard boucher boudreau boulanger boulay bourassa bourgeois bourque boutin
    boyer brassard breton brisson brochu brooks brown brunet bryant bureau butler campbell campeau cantin caron
    carpenter carrier carter castonguay chabot chagnon champagne charbonneau charest charette charron chartrand chen
    chevalier chouinard cohen clark cloutier coleman collins comeau cooper corbeil cormier côté couture cox crawford
    cruz cyr d'amours daigle dallaire daoust davis delisle delorme demers deschamps deschênes desjardins deslauriers
    desrochers desrosiers diallo diaz dion dionne doucet doyon drolet dubé dubois duchesne dubuc dufour dufresne duguay
    dumas dumont dupont dupuis durand duval edwards emond evans faucher ferland fernandez filion fisher flores fleury
    fontaine forest forget fortier fortin foster fournier fraser gagné gagnon gaudet gaudreau gauthier gauvin gélinas
    gendron genest germain gervais giguère gilbert gill gingras girard giroux gonzalez godin gosselin goulet graham
    grant gravel green grenier griffin grondin guay guérin guérard hamel hamilton hall harris harrison harvey hébert
    hernandez henderson hill houle howard huard hudon hughes huot jackson jacques jean jenkins jobin johnson johnston
    jones joly kaur kelly kennedy khan kim king kowalski labbé labelle laberge labonté labrecque lachance lacasse
    lacroix laflamme lafleur lafontaine laforest lafrance lalonde lambert lamontagne lamoureux landry langlois lapierre
    lapointe laplante laporte larivière laroche larose larouche lavallée laverdière lavoie lebel leblanc leclerc
    leclair leduc lee lefebvre legault légaré lemay lemieux lemire lepage leroux leroy lessard létourneau levasseur
    lévesque lewis longpré lopez lortie loiselle maheux mailhot mailloux major malo maltais marchand marcotte marcoux
    marquis martel martin martinez masson mathieu ménard mercier messier meunier meyer michaud miller mitchell moore
    moreau moreno morin morneau morris morrison murphy murray myers nadeau nadon nelson nguyen noël normandin o'brien
    o'connor olsen ouellet ouellette ouimet page pagé papineau paquet paquette paquin paradis parent paré parenteau
    parker patel patry pelletier pepin perez perreault perron perry petit phillips picard pilon pinard plante plourde
    poirier pomerleau poulin powell prévost price proulx provencher provost quirion racine ramirez raymond reed renaud
    reyes reynolds richard richardson rioux rivard rivera rivest roberge robert roberts robinson robitaille rochon
    rodriguez rodrigue rogers roger rondeau ross rousseau roussel rousselle roy russell sanchez sanders savard savoie
    schmidt scott séguin sénéchal simard simmons simon singh smith soucy stewart st-pierre st-jean st-louis st-laurent
    st-onge sullivan tanguay tardif taylor tessier thériault therrien thibault thibodeau thomas thompson torres
    toussaint traoré tremblay trépanier trottier trudeau trudel tucker turcotte turgeon turner vachon vaillancourt
    vallée valois veilleux verreault tran pham huynh hoang phan vu vo dang bui ngo duong ly mai dinh truong lam sharma
    gupta kumar shah mehta reddy rao iyer nair kapoor malhotra chaudhary das sen bose banerjee mukherjee chatterjee
    hussain malik sheikh siddiqui qureshi rahman chowdhury islam haddad khoury nassar saleh mansour hamdi benali
    bensalem benhaddou ben-salah cherif ziani amrani alaoui bennani el-amrani boukhari toure keita camara sow ndiaye
    fall gueye mbaye cisse coulibaly kone ouattara mensah boateng okafor okonkwo adeyemi eze nwosu mwangi otieno abebe
    tesfaye mohamed hassan ali omar osman joseph pierre-louis desir charles etienne baptiste jean-baptiste jean-pierre
    louis-jean lafortune garcia gomez perez-lopez martinez-ruiz rojas vargas castillo mendoza guerrero ortiz silva
    santos oliveira souza costa pereira ferreira almeida rossi russo ferrari esposito bianchi romano ricci moretti
    schneider fischer weber-meyer bauer hoffmann novak horvat kovac kowalczyk nowak wisniewski petrov ivanov ivanova
    smirnov popov volkov kuznetsov sokolov papadopoulos georgiou yilmaz kaya demir celik tanaka suzuki sato yamamoto
    nakamura kobayashi park choi jung kang yoon lim wu zhou xu sun ma zhu hu guo he lin luo zheng liang song tang leung
    cheung chan lau ho ng macdonald mcdonald mackenzie mclean mcleod maclean macneil o'neil o'reilly fitzgerald
    gallagher doyle byrne dubeau beauregard sauvé pelletier-roy charlebois lamarre larue gravel-roy verdon prud'homme
    sirois desgagné gobeil lepine lépine marcil massé naud neveu palardy perras phaneuf poitras rainville sabourin
    seguin st-denis st-germain st-amour st-arnaud thibodeau vachon vézina vigneault villeneuve vincent walker wagner
    walsh wang ward washington watson weber white williams wilson wong wood wright yang young zhang
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
    hello hi hey dear thanks thank regards sincerely best cheers bonjour bonsoir salut allô merci cordialement
    salutations bien cher chère madame monsieur monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december lundi mardi mercredi jeudi vendredi
    samedi dimanche janvier février mars avril mai juin juillet août septembre octobre novembre décembre noël christmas
    easter pâques internet web wifi bluetooth email e-mail courriel python java javascript typescript rust go kotlin
    swift ruby php sql html css json yaml xml docker kubernetes linux windows macos android ios git github gitlab
    google apple microsoft amazon facebook meta netflix twitter youtube openai chatgpt claude-ai gpt llama qwen mistral
    excel word powerpoint outlook teams slack zoom react angular vue django flask fastapi node npm pip api url http
    https pdf csv usb cpu gpu ram ssd ok todo note nb ps re objet subject sujet date total tps tvq nas sin ramq saaq
    nip pin iban english french anglais français française spanish german chinese arabic espagnol allemand québécois
    québécoise canadien canadienne canadian american américain européen european client clients patient patients
    employé dossier contrat facture commande numéro section chapitre article annexe tableau figure page règlement loi
    cour tribunal ministère ministre gouvernement assemblée conseil comité directeur directrice président présidente
    address adresse selon name nom recipient destinataire expéditeur sender phone téléphone tél tel born née né order
    file fichier attention à from to de cc cci bcc fw fwd tr urgent important bonne bon joyeux joyeuse happy good voici
    here please svp s'il réf ref authorization bearer policy carte vitale sales acme inc dept user assistant system
    admin password username token person location organization placeholder
    """
)
