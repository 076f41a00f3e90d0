"""The dictionary of labels: what each word of French and English announces, in lower case without accents. Facts only.

How a label is found before a value, and what a word means beside others, is for `labels.py`.
"""

from __future__ import annotations

from enum import IntFlag


class Kind(IntFlag):
    """What a word announces. Plain integers are used in the loops: flags are slow."""

    PHONE = 1
    SIN = 2
    HEALTH = 4
    NEQ = 8
    TAX = 16
    LICENCE = 32
    PASSPORT = 64
    ID_CARD = 128
    BANK = 256
    CARD = 512
    IBAN = 1024
    PLATE = 2048
    NIR = 4096
    SIREN = 8192
    SSN = 16384
    RECORD = 32768  # employees, patients, files, policies, clients
    OTHER = 65536  # orders, versions, parts: numbers of things
    PERSON = 131072  # of RECORD: a short bare number may follow
    POSTAL = 262144
    MACHINE = 524288
    CODE = 1048576  # a reference: nobody's, unless another word says whose
    SMALL = 2097152
    MARK = 4194304  # "no", "number", "id"
    BANKING = 8388608  # speaks of a bank, without announcing a number
    # From here on no label, but what a text is about.
    BIRTH = 16777216
    VEHICLE = 33554432
    SECRET = 67108864
    EXPIRY = 134217728
    LIVING = 268435456
    DWELLING = 536870912  # so do these, with a preposition and a number behind


(
    PHONE, SIN, HEALTH, NEQ, TAX, LICENCE, PASSPORT, ID_CARD, BANK, CARD, IBAN, PLATE, NIR, SIREN, SSN, RECORD, OTHER,
    PERSON, POSTAL, MACHINE, CODE, SMALL, MARK, BANKING, BIRTH, VEHICLE, SECRET, EXPIRY, LIVING,
    DWELLING,
) = map(int, Kind)  # fmt: skip
WORDS_OF = {
    PHONE: """
        tel telephone telephones telephonique phone phones telefon ph cell cellulaire cellulaires cellular cellphone
        mobile mobiles portable fixe landline fax telecopieur telecopie telec whatsapp signal viber sms text texto
        textos textez texte appel appelle appeler appelez rappel rappeler rappelez rappelle call calls called calling
        callback ring dial composez composer compose joindre rejoindre rejoignez joignable reach reached reachable
        contact contacter contactez line ligne lines lignes voicemail pager teleavertisseur hotline msisdn urgence
        emergency
        """,
    SIN: "nas sin",
    SIN | SSN | NIR: "social sociale sociales sociaux secu",
    HEALTH: """
        ramq nam nhs soleil health sante hc hin ohip phn msp ahcip medicare phin hcn mcp carecard hospitalisation
        sanitaire ahc hsn mhsc yhcip nthssa
        """,
    HEALTH | NIR: "maladie",
    NEQ | TAX: "neq req entreprise entreprises enterprise",
    TAX: "tps tvq gst hst qst tvh tva vat bn taxes taxe tax pst fiscal fiscale ein business",
    LICENCE: """
        drvlic drvlicense driverlic dln lic
        permis licence licences license licenses saaq driver drivers driving conduire conduite conducteur dl
        driverslicense driverslicence neph
        """,
    PASSPORT: """
        pspt ppt psport
        passeport passeports passport passports travel pass psprt passenger passengers passager passagers passagere pp
        voyage
        """,
    ID_CARD: "titre identite cni cnie identity identification citizenship citoyennete sejour",
    BANK: """
        transit institution inst folio eop compte account rib routing aba succursale bsb micr cpte acct acc iban
        """,
    BANKING: """
        succ
        guichet agence
        banque bank bancaire bancaires banking chequing checking savings epargne branch sort cheque cheques check
        depot deposit virement virements desjardins caisse transfer
        """,
    CARD: """
        carte cartes card cards visa mastercard amex american express discover diners jcb maestro credit debit cc pan
        interac unionpay mir verve bancontact cb
        """,
    IBAN: "iban",
    PLATE: """
        plaque plaques plate plates immatriculation immatriculations immatricule immatriculee immatricules immat
        immatriculees registration mineralogique grise reg
        """,
    NIR: "nir vitale insee ss",
    SIREN: "siren siret rcs",
    SSN: "ssn ssns itin tin ss",
    RECORD: """
        police policy contrat contract claim reclamation sinistre assurance insurance adhesion membership
        beneficiaire beneficiary allocataire loyalty fidelite aeroplan miles airmiles optimum opus scene
        abonnement subscription mortgage hypotheque hypothecaire pret loan bail lease certificat certificate
        case demande application requerant applicant prestation prestations benefit benefits pension uci iuc
        immigration refugee refugie permanent chart medical medicaux clinique clinic hospital hopital admission
        visite visit encounter prescription ordonnance rx record incident plainte complaint vin niv enrolment
        enrollment inscription registrant personnel payroll paie travailleur csst cnesst wsib locataire tenant
        donor donneur donateur donatrice voter electeur permit permits inmate detenu usager usagere user titulaire
        probation parolee plaintiff evaluation invitation device agent prisonniere cotisante medicare dea
        fonctionnaires eleves group groupe clock library bibliotheque mediatheque ecrou fps csq mandat warrant
        rrq rpc qpp cpp rqap prestataire acte pdl prm appareil imei medicaid volunteer benevole apprenti
        apprentie apprentice intern stagiaire enseignant enseignante teacher professeur nurse infirmier
        infirmiere medecin physician avocat avocate lawyer barreau notaire officer officier constable agente
        soldier militaire military veteran prisoner prisonnier detainee suspect suspecte accuse accusee victim
        victime temoin witness annuitant cotisant contributor contribuable taxpayer borrower emprunteur
        emprunteuse debtor debiteur debitrice souscripteur proprietaire landlord demandeur demandeuse
        demanderesse licencie licenciee constat contravention accession wristband bracelet carnet livret
        attestation diplome diploma navigo nexus bonvoy traveller traveler ktn redress flyer aadhaar curp pesel
        cpf bsn personnummer guarantor dependent dependant mutuelle mutualiste complementaire prevoyance
        affiliation affilie affiliee transplant biobank enrollee caseworker tutelle curatelle cpso oiiq cmq opq
        juror jurors jure juree summons certif cert certifs cesu nid mandataire mandant tuteur curateur syndicataire
        parishioner paroissien sevis ucas uln upn mbi hicn tricare ppsn pps dni nie rrn nric numen onyen netid
        agdref ofpra camieg arrco agirc ivac ccq wcb odsp aish oas psv svq rregop rrpe airmile fob fobs
        npi upin camper adoption asylum asile naturalization naturalisation residency finess cps urssaf msa cpam
        carsat cnav franceconnect dbs utr oen rin uhip nihb ifhp dva edipi dod alien uscis
        """,
    RECORD | PERSON: """
        offender contrevenant detenue representant representante employe employee emp empl matr matricule patient pt
        patiente badge mrn client cliente customer membre member mbr dossier file etudiant etudiante student
        eleve pupil abonne abonnee subscriber assure assuree insured adherent adherente fiche societaire staff
        rpps adeli ine fonctionnaire candidat candidate resident residente participant participante worker
        travailleur travailleuse hosp ipp nda policyholder cardholder etranger caf niss avs ahv nino nin cust
        nocli numcli idcli codecli salarie salariee societaires pupils
        """,
    OTHER: """
        order orders commande commandes invoice invoices facture factures isbn issn ean upc gtin sku asin doi pmid rfc
        ticket tickets billet billets tracking suivi colis parcel parcels shipment expedition livraison lot batch
        serial serie version versions build release commit revision rev article articles art section sections chapitre
        chapter product produit produits part parts pieces model modele item items issue bug pr port ports pid
        timestamp epoch checksum hash sha md5 patent brevet bon devis soumission estimate modelo catalogue
        catalog barcode po purchase achat page pages ligne line lines lignes row rows paragraphe regle rule loi law
        act bill
        decret bulletin vol volume figure fig table tableau room salle chambre firmware kernel windows uuid guid vol
        flight train bus gate niveau level score numerote reglement statute docket population budget total
        montant amount type couleur color colour hex clause dfars ndc nsn cve solde balance
        """,
    CODE: "reference references ref refs",
    POSTAL: "postal postale zip zipcode cp",
    MACHINE: """
        src dst
        ip ipv4 ipv6 serveur serveurs server servers host hosts hostname hote hotes machine machines ping ssh vpn dns
        subnet network reseau gateway passerelle routeur router firewall parefeu connexion connexions connection login
        log logs blocked bloque bloquee blocked bloquer ban banned tcp udp request requete requetes traceroute peer
        remote lan wan dhcp proxy wifi ethernet addr mac bluetooth hwaddr bssid poste client ordinateur computer
        laptop node noeud
        """,
    BIRTH: """
        ne nee naissance naquit nait naitra ddn naiss born birth births birthdate birthday bday dob anniversaire
        datenaissance datedenaissance dateofbirth nacimiento b n monde yob turned turns turning majeur majeure fete dn
        """,
    VEHICLE: """
        char tracteur tracteurs tag tags stopped tow impound impounded fourriere semi roulotte motoneige
        vehicule vehicules vehicle vehicles voiture voitures auto autos automobile automobiles car cars camion camions
        camionnette camionnettes truck trucks van vans pickup suv fourgonnette fourgonnettes fourgon fourgons moto motos
        motocyclette motorcycle motorcycles remorque remorques trailer trailers taxi taxis stationne stationnee
        stationnes parked parking berline sedan hatchback minivan scooter saaq conducteur driver gare garee vus vr
        chauffeur remorquee towed honda civic toyota corolla mazda ford chevrolet hyundai kia nissan subaru volkswagen
        golf audi bmw mercedes tesla jeep dodge gmc renault clio peugeot citroen dacia fiat volvo lexus acura mitsubishi
        porsche mini opel seat skoda twingo megane ram silverado camry accord sentra elantra tucson escape caravan
        """,
    SECRET: """
        userpwd dbpwd adminpwd rootpwd
        pass password passwords passphrase passphrases passwd passcode passcodes passe passes pwd pswd psw pw
        mdp motdepasse userpass secret secrets secrete secretes identifiant identifiants credential credentials
        creds cred wifi wi fi wep wpa phrase answer reponse login logins connexion acces key keys cle cles clef
        token tokens jeton jetons apikey apitoken api otp sas code codes pin pins nip nips puk cvv cvc cvn cid
        csc cryptogramme bearer authorization auth session webhook p u user nipp combinaison combinaisons
        combination combo digicode a2f gate padlock cadenas lockbox keysafe keybox alarm alarme coffre maiden snmp
        userpassword username usernames utilisateur question temporaire temporary
        """,
    EXPIRY: "exp expiry expires expire expiration echeance valid valide validite thru fin until jusqu",
    LIVING: """
        adresse adresses address addresses addressed habite habites habitent habitons habitait habitant demeure
        demeurant demeurent reside resident residing resides residant livrer livraison livre livrez envoyer
        envoyez envoye reste live lives lived living deliver delivered ship shipped domicile domicilie
        domiciliee demenage demenager moved move moving located situe situee mail mailing mailed loge logee sis
        sise relocated pickup cp street rue addr adr
        vit vivent vivant vivre vis vivait staying stays stayed grew
        """,
    DWELLING: """
        house houses home place apartment flat condo cottage farm property evicted raised maison appart appartement
        logement chalet expulse expulsee grandi vecu found trouve trouvee arrested send sent
        picked dropped drop seen vu vue rents rented renting loue louait occupe
        """,
    SMALL: """
        is est was were are sont etait be been a an de du des d of the le la les l un une mon ma mes my your votre vos
        son sa ses his her hers their notre nos our leur leurs for pour au aux to on sur in dans with avec has have
        porte portant avoir c ce cet cette ces s that this these it il elle he she i je j m me you vous who qui que
        new nouveau nouvelle actuel actuelle current old ancien ancienne complet full suivant suivante suivants
        following below listed as comme sous voici here at by par named valid valide canadien canadienne canadian
        francais francaise french quebec quebecois americain american us canada ontario also aussi and et or ou donc
        then so provincial federal personnelle personal professionnel professionnelle electronique principal main
        td th tr span div li dt dd br strong em input font small tbody thead cell label name key field p insert into
        primary unique not pas bien used which dont from provisoire temporaire temporary actif active dit said soit
        namely only intracom intracommunautaire intra assigned attribue attribuee deja
        mine mien mienne tien tienne sien sienne
        """,
    MARK: """
        value values valeur no nos numero numeros number numbers num nr nbr n id ids identifiant identifier code codes
        digits chiffres nums
        """,
}  # fmt: skip
"""Kinds to their words. A word of several entries is of all their kinds."""
