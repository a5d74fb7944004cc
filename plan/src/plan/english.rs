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
mod tests;
