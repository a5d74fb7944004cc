//! Singulars and articles of words.

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
