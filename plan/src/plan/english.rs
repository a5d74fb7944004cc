//! English for names: the singular of a table's name, and `a` or `an` before a word.
//!
//! No crate is used, since crates fail on usual names of tables: `pluralizer` 0.6 and `cruet` 1.0
//! both return `cach` for `caches`, `dn` for `dns`, `gp` for `gps` and `len` for `lens`.

/// Returns a table name with its last word in the singular. It is a guess that settings override.
pub(super) fn singular(table: &str) -> String {
    let start = last_word(table);
    let (head, word) = table.split_at(start);
    let lower = word.to_lowercase();
    let found = singular_word(&lower);
    // The part before the changed ending keeps its case.
    let same = word
        .char_indices()
        .zip(found.chars())
        .take_while(|((_, a), b)| a.to_lowercase().eq(b.to_lowercase()))
        .last()
        .map_or(0, |((at, c), _)| at + c.len_utf8());
    let tail: String = found.chars().skip(word[..same].chars().count()).collect();
    let is_upper = !word.chars().any(char::is_lowercase);
    let tail = if is_upper { tail.to_uppercase() } else { tail };
    format!("{head}{}{tail}", &word[..same])
}

/// Returns the start of the last word: after the last `_` or other sign, or at the last capital of
/// CamelCase.
fn last_word(table: &str) -> usize {
    let mut start = 0;
    let mut before = ' ';
    for (at, c) in table.char_indices() {
        if !before.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase()) {
            start = at;
        }
        before = c;
    }
    if table[start..].chars().all(|c| !c.is_alphanumeric()) {
        0
    } else {
        start
    }
}

/// Words with an irregular plural.
const IRREGULAR: [(&str, &str); 84] = [
    ("appendices", "appendix"),
    ("calves", "calf"),
    ("codices", "codex"),
    ("corpora", "corpus"),
    ("dwarves", "dwarf"),
    ("elves", "elf"),
    ("emphases", "emphasis"),
    ("formulae", "formula"),
    ("genera", "genus"),
    ("larvae", "larva"),
    ("nebulae", "nebula"),
    ("prognoses", "prognosis"),
    ("selves", "self"),
    ("sheaves", "sheaf"),
    ("vertebrae", "vertebra"),
    ("wharves", "wharf"),
    ("addenda", "addendum"),
    ("alumni", "alumnus"),
    ("analyses", "analysis"),
    ("axes", "axis"),
    ("bacteria", "bacterium"),
    ("cacti", "cactus"),
    ("children", "child"),
    ("crises", "crisis"),
    ("criteria", "criterion"),
    ("curricula", "curriculum"),
    ("diagnoses", "diagnosis"),
    ("dice", "die"),
    ("dies", "die"),
    ("errata", "erratum"),
    ("feet", "foot"),
    ("foci", "focus"),
    ("geese", "goose"),
    ("grandchildren", "grandchild"),
    ("halves", "half"),
    ("hooves", "hoof"),
    ("hypotheses", "hypothesis"),
    ("indices", "index"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lenses", "lens"),
    ("lice", "louse"),
    ("lies", "lie"),
    ("lives", "life"),
    ("loaves", "loaf"),
    ("matrices", "matrix"),
    ("men", "man"),
    ("mice", "mouse"),
    ("neuroses", "neurosis"),
    ("nuclei", "nucleus"),
    ("oases", "oasis"),
    ("oxen", "ox"),
    ("parentheses", "parenthesis"),
    ("people", "person"),
    ("phenomena", "phenomenon"),
    ("pies", "pie"),
    ("quizzes", "quiz"),
    ("radii", "radius"),
    ("scarves", "scarf"),
    ("schemata", "schema"),
    ("shelves", "shelf"),
    ("spies", "spy"),
    ("stimuli", "stimulus"),
    ("strata", "stratum"),
    ("synopses", "synopsis"),
    ("syntheses", "synthesis"),
    ("metamorphoses", "metamorphosis"),
    ("paralyses", "paralysis"),
    ("dialyses", "dialysis"),
    ("teeth", "tooth"),
    ("thieves", "thief"),
    ("theses", "thesis"),
    ("ties", "tie"),
    ("vertices", "vertex"),
    ("vies", "vie"),
    ("vortices", "vortex"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("yes", "yes"),
    ("goes", "go"),
    ("gases", "gas"),
    ("buses", "bus"),
    ("atlases", "atlas"),
];

/// Words that end like a plural but are singular, or are the same in both.
const UNCHANGED: [&str; 80] = [
    "barracks",
    "biceps",
    "clothes",
    "crossroads",
    "forceps",
    "gallows",
    "goods",
    "herpes",
    "jeans",
    "kudos",
    "measles",
    "molasses",
    "odds",
    "pants",
    "rabies",
    "scabies",
    "scissors",
    "shambles",
    "shorts",
    "thanks",
    "trousers",
    "alias",
    "always",
    "as",
    "atlas",
    "aws",
    "bias",
    "canvas",
    "chaos",
    "corps",
    "cors",
    "cosmos",
    "css",
    "data",
    "debris",
    "devops",
    "diabetes",
    "dns",
    "does",
    "ethos",
    "finops",
    "gas",
    "gps",
    "has",
    "headquarters",
    "https",
    "ios",
    "is",
    "js",
    "kubernetes",
    "lens",
    "mas",
    "means",
    "media",
    "metadata",
    "mms",
    "news",
    "nfs",
    "ops",
    "os",
    "pancreas",
    "pos",
    "ps",
    "rds",
    "rendezvous",
    "rhinos",
    "s",
    "saas",
    "series",
    "sms",
    "sos",
    "species",
    "this",
    "tls",
    "tms",
    "trans",
    "ups",
    "vms",
    "was",
    "yes",
];

/// Plurals in `-ies` of words in `-ie`, not in `-y`.
const IE: [&str; 24] = [
    "birdies",
    "bogies",
    "bookies",
    "brownies",
    "calories",
    "collies",
    "cookies",
    "genies",
    "goalies",
    "hoodies",
    "hippies",
    "indies",
    "junkies",
    "magpies",
    "movies",
    "newbies",
    "pinkies",
    "prairies",
    "rookies",
    "selfies",
    "smoothies",
    "sorties",
    "zombies",
    "cuties",
];

/// Words in `-che`, `-xe` and `-she`. Their plural ends like that of words in `-ch`, `-x` and
/// `-sh`.
const CHE: [&str; 16] = [
    "ache",
    "axe",
    "avalanche",
    "brioche",
    "cache",
    "cliche",
    "creche",
    "deluxe",
    "headache",
    "heartache",
    "moustache",
    "niche",
    "psyche",
    "quiche",
    "seiche",
    "toothache",
];

/// Words in `-o` with a plural in `-oes`.
const OES: [&str; 17] = [
    "buffalo", "cargo", "domino", "echo", "embargo", "go", "halo", "hero", "mango", "mosquito",
    "motto", "potato", "tomato", "tornado", "torpedo", "veto", "zero",
];

fn singular_word(word: &str) -> String {
    // The last part of a compound word counts as well: `filecaches`, `aclalias`.
    let irregular = IRREGULAR.iter().find(|(plural, _)| {
        word == *plural || (plural.len() > 4 && word.ends_with(plural) && is_compound(word, plural))
    });
    if let Some((plural, singular)) = irregular {
        return format!("{}{singular}", &word[..word.len() - plural.len()]);
    }
    let is_unchanged = UNCHANGED.contains(&word)
        || word.ends_with("data")
        || word.ends_with("alias")
        || word.ends_with("bias")
        || word.ends_with("canvas");
    let ends_like_one = ["ss", "us", "is", "ics", "tics"]
        .iter()
        .any(|ending| word.ends_with(ending));
    if is_unchanged || (ends_like_one && !is_plural_in_us(word) && word != "taxis") {
        return match word.strip_suffix("ics") {
            Some(stem) if is_thing_in_ic(stem) => format!("{stem}ic"),
            _ => word.to_owned(),
        };
    }
    if is_unpronounceable(word) {
        return word.to_owned();
    }
    if IE.iter().any(|plural| word.ends_with(plural)) {
        return word[..word.len() - 1].to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let in_e = word.strip_suffix('s').unwrap_or(word);
    if CHE
        .iter()
        .any(|singular| in_e == *singular || (singular.len() > 4 && in_e.ends_with(singular)))
    {
        return in_e.to_owned();
    }
    for ending in [
        "aliases", "biases", "canvases", "iruses", "tatuses", "onuses", "ampuses", "ensuses",
        "enuses", "inuses", "ocuses", "opuses", "exuses",
    ] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    for ending in ["sses", "shes", "ches", "xes", "zzes", "ltzes"] {
        if let Some(stem) = word.strip_suffix(ending) {
            return format!("{stem}{}", &ending[..ending.len() - 2]);
        }
    }
    let is_in_o = |stem: &str| {
        OES.iter()
            .any(|singular| stem == *singular || (singular.len() > 3 && stem.ends_with(singular)))
    };
    if let Some(stem) = word.strip_suffix("es").filter(|stem| is_in_o(stem)) {
        return stem.to_owned();
    }
    in_e.to_owned()
}

/// Returns true if a word is a compound that ends in another word, and not a simple word with the
/// same ending.
fn is_compound(word: &str, last: &str) -> bool {
    let first = &word[..word.len() - last.len()];
    // In `cleaves`, `olives` and `taxes` the first part is not a word.
    first.len() >= 3 && first.chars().any(is_vowel)
}

/// Returns true for plurals of words in `-u`: `menus`, `gurus`.
fn is_plural_in_us(word: &str) -> bool {
    [
        "menus", "gurus", "emus", "skus", "gpus", "cpus", "tofus", "ious", "haikus", "bayous",
    ]
    .contains(&word)
        || ["menus", "gurus", "cpus", "gpus", "skus"]
            .iter()
            .any(|plural| word.ends_with(plural))
}

/// Returns true for countable words: `topics`, `metrics`, but not `physics`.
fn is_thing_in_ic(stem: &str) -> bool {
    const COUNTED: [&str; 22] = [
        "metr", "crit", "mus", "clin", "com", "fabr", "graph", "mechan", "mim", "mosa", "pan",
        "picn", "rel", "rubr", "statist", "tact", "ton", "top", "traff", "charact", "ep",
        "heurist",
    ];
    COUNTED
        .iter()
        .any(|counted| stem == *counted || (counted.len() > 3 && stem.ends_with(counted)))
}

/// Returns true for abbreviations that are spelled out: `rss`, `dns`. A plural usually has a vowel
/// before its `s`.
fn is_unpronounceable(word: &str) -> bool {
    word.len() <= 4
        && !word.chars().any(|c| is_vowel(c) || c == 'y')
        && !["ids", "tvs", "pcs", "vms", "urls", "sdks", "prs", "qrs"].contains(&word)
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Returns `a` or `an`, by the sound of a word.
pub fn article(noun: &str) -> &'static str {
    let end = noun
        .char_indices()
        .skip(1)
        .find(|(_, c)| !c.is_alphanumeric() || c.is_uppercase());
    // In `SMSMessage` the capitals are spelled out.
    let capitals = noun.chars().take_while(|c| c.is_uppercase()).count();
    let first = match (capitals, end) {
        (2.., _) => {
            let length = noun.chars().count();
            let taken = if capitals < length {
                capitals - 1
            } else {
                capitals
            };
            noun.chars().take(taken.max(1)).collect::<String>()
        }
        (_, Some((at, _))) => noun[..at].to_owned(),
        (_, None) => noun.to_owned(),
    };
    if is_an(&first.to_lowercase()) {
        "an"
    } else {
        "a"
    }
}

fn is_an(word: &str) -> bool {
    // Abbreviations with a vowel that are spelled out all the same.
    const LETTERS: [&str; 12] = [
        "faq", "fbi", "led", "lan", "mfa", "mri", "nda", "rfi", "roi", "sku", "slo", "sla",
    ];
    const LIKE_YOU: [&str; 17] = [
        "ubi", "uk", "unic", "unif", "unil", "union", "uniq", "unit", "univ", "ura", "uri", "url",
        "us", "ut", "uu", "ux", "ui",
    ];
    const UNLIKE: [&str; 3] = ["usher", "utter", "utmost"];
    const LIKE_ONE: [&str; 4] = ["eu", "ewe", "once", "ouija"];
    const SILENT_H: [&str; 5] = ["heir", "honest", "honor", "honour", "hour"];
    let spelled = !word.chars().any(|c| is_vowel(c) || c == 'y') || LETTERS.contains(&word);
    match word.chars().next() {
        Some('f' | 'h' | 'l' | 'm' | 'n' | 'r' | 's' | 'x') if spelled => true,
        Some('h') => SILENT_H.iter().any(|begin| word.starts_with(begin)),
        Some('u') => {
            let is_like = |begins: &[&str]| begins.iter().any(|begin| word.starts_with(begin));
            word != "u" && (is_like(&UNLIKE) || !is_like(&LIKE_YOU))
        }
        Some('8') => true,
        Some('e' | 'o') => word != "one" && !LIKE_ONE.iter().any(|begin| word.starts_with(begin)),
        Some(first) => matches!(first, 'a' | 'i'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plural and singular, in pairs.
    const WORDS: &str = "
        accounts account  account_labels account_label  categories category  boxes box  statuses status  news news
        people person  address address  addresses address  crates crate  caches cache  vertices vertex
        cookies cookie  aliases alias  heroes hero  dns dns  gps gps  lens lens  lenses lens  matrices matrix
        axes axis  analyses analysis  leaves leaf  alias alias  aclalias aclalias  aclrulealias aclrulealias
        aclrules aclrule  campus campus  campuses campus  quota quota  quotas quota  items_meta items_meta
        userdata userdata  raw_bonus raw_bonus  bonuses bonus  drives drive  series series  bus bus  buses bus
        areas area  status status  process process  processes process  waves wave  licenses license
        children child  indices index  indexes index  movies movie  media media  metadata metadata  matches match
        batches batch  branches branch  niches niche  headaches headache  file_caches file_cache
        filecaches filecache  potatoes potato  photos photo  videos video  echoes echo  vetoes veto
        wolves wolf  knives knife  lives life  shelves shelf  halves half  archives archive  valves valve
        curves curve  natives native  objectives objective  olives olive  theses thesis  bases base
        databases database  phases phase  cases case  houses house  causes cause  responses response
        expenses expense  purchases purchase  warehouses warehouse  releases release  diagnoses diagnosis
        crises crisis  hypotheses hypothesis  gases gas  viruses virus  choices choice  devices device
        invoices invoice  prices price  codes code  pies pie  ties tie  species species  shoes shoe
        criteria criterion  phenomena phenomenon  alumni alumnus  radii radius  quizzes quiz  sizes size
        prizes prize  mazes maze  buzzes buzz  waltzes waltz  taxes tax  suffixes suffix  edges edge
        pages page  ages age  mice mouse  men man  women woman  humans human  canvas canvas
        canvases canvas  atlas atlas  glasses glass  classes class  access access  progress progress
        businesses business  sms sms  css css  tls tls  os os  https https  rss rss  menus menu  focus focus
        virus virus  consensus consensus  physics physics  analytics analytics  logistics logistics
        topics topic  metrics metric  basis basis  synthesis synthesis  chassis chassis  debris debris
        corps corps  means means  headquarters headquarters  sheep sheep  equipment equipment  forums forum
        schemas schema  zombies zombie  calories calorie  cities city  queries query  companies company
        entries entry  policies policy  keys key  days day  replies reply  memos memo  logos logo
        todos todo  scenarios scenario  portfolios portfolio  users user  urls url  ids id
        user_ids user_id  services service  slices slice  messages message  images image
        exchanges exchange  caches_2024 caches_2024  types type  updates update  searches search
        watches watch  approaches approach  patches patch  dishes dish  wishes wish  taxis taxi
        heroes hero  zeroes zero  zeros zero  fuses fuse  uses use  courses course  licences licence  diseases disease
        events event  movies movie  spouses spouse  clauses clause  purposes purpose  poses pose
        gpus gpu  databases database  leases lease  sales sale  employees employee  fees fee  trees tree
        keyes keye  toes toe  canoes canoe  oboes oboe  cargoes cargo  dominoes domino  biases bias
        rabies rabies  gallows gallows  clothes clothes  calves calf  appendices appendix  data data
        elves elf  shelves shelf  selves self  wharves wharf  larvae larva  formulae formula  corpora corpus
        codices codex  genera genus  goods goods  scissors scissors  jeans jeans  beans bean  babies baby
        scabies scabies  salves salve  short short  cloths cloth  event_series event_series  newscasts newscast
        sieves sieve  matrices matrix  recipes recipe  caves cave  wives wife  buses bus  sinuses sinus
        synopses synopsis  antitheses antithesis  opuses opus  nexuses nexus  rooms_syntheses rooms_synthesis  prognoses prognosis  oases oasis  tomatoes tomato  pianos piano  gulfs gulf  roofs roof
        Users User  UserCaches UserCache  USERS USER  Categories Category  CATEGORIES CATEGORY  Person Person
    ";

    #[test]
    fn tables_have_their_singulars() {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let wrong: Vec<String> = words
            .chunks(2)
            .filter(|pair| singular(pair[0]) != pair[1])
            .map(|pair| format!("{}: {}, not {}", pair[0], pair[1], singular(pair[0])))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_or_an_is_chosen_by_sound() {
        let an = "account order item hour heir honor_roll umbrella undo unimportant_note uninstall sms sku api \
                  HTTPLog SMSMessage MFA FAQ Sms Account UpperBound XRay hour_entry 8bit ulcer ugly island event \
                  honest_review understanding usher RSSFeed";
        let a = "user unit union universe url uuid usage use eu_country one_time_code once house history user_id \
                 User UserId URL UUID table 2fa yacht euro unicorn utility uri Union year house hero \
                 SessionKey Host Node";
        let wrong: Vec<&str> = an
            .split_whitespace()
            .filter(|noun| article(noun) != "an")
            .chain(a.split_whitespace().filter(|noun| article(noun) != "a"))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
