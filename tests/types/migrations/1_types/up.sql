CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN work_email AS email;
CREATE DOMAIN happy_mood AS mood CHECK (VALUE <> 'sad');
CREATE DOMAIN emails AS email[];
CREATE TYPE postal_address AS (street varchar(40), number int4, since date, notes text[]);
CREATE TYPE contact AS (name text, feeling mood, mail email, home postal_address, moods mood[], codes varchar[], waits interval);
CREATE DOMAIN checked_address AS postal_address CHECK ((VALUE).number > 0);
CREATE TYPE floatrange AS RANGE (subtype = float8, multirange_type_name = floatmultirange);
CREATE TYPE textrange AS RANGE (subtype = text);
CREATE TYPE search_result AS (doc tsvector, rank float4);

CREATE TABLE numbers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bool_value bool NOT NULL,
    bool_value_or_null bool,
    bool_list bool[],
    int2_value int2 NOT NULL,
    int2_value_or_null int2,
    int2_list int2[],
    int4_value int4 NOT NULL,
    int4_value_or_null int4,
    int4_list int4[],
    int8_value int8 NOT NULL,
    int8_value_or_null int8,
    int8_list int8[],
    float4_value float4 NOT NULL,
    float4_value_or_null float4,
    float4_list float4[],
    float8_value float8 NOT NULL,
    float8_value_or_null float8,
    float8_list float8[],
    numeric_value numeric NOT NULL,
    numeric_value_or_null numeric,
    numeric_list numeric[],
    money_value money NOT NULL,
    money_value_or_null money,
    money_list money[],
    oid_value oid NOT NULL,
    oid_value_or_null oid,
    oid_list oid[],
    char_value "char" NOT NULL,
    char_value_or_null "char",
    char_list "char"[]
);

CREATE TABLE texts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text_value text NOT NULL,
    text_value_or_null text,
    text_list text[],
    varchar_value varchar(20) NOT NULL,
    varchar_value_or_null varchar(20),
    varchar_list varchar(20)[],
    char_value char(5) NOT NULL,
    char_value_or_null char(5),
    char_list char(5)[],
    name_value name NOT NULL,
    name_value_or_null name,
    name_list name[],
    citext_value citext NOT NULL,
    citext_value_or_null citext,
    citext_list citext[],
    bytea_value bytea NOT NULL,
    bytea_value_or_null bytea,
    bytea_list bytea[],
    uuid_value uuid NOT NULL,
    uuid_value_or_null uuid,
    uuid_list uuid[]
);

CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    json_value json NOT NULL,
    json_value_or_null json,
    json_list json[],
    jsonb_value jsonb NOT NULL,
    jsonb_value_or_null jsonb,
    jsonb_list jsonb[],
    jsonpath_value jsonpath NOT NULL,
    jsonpath_value_or_null jsonpath,
    jsonpath_list jsonpath[],
    xml_value xml NOT NULL,
    xml_value_or_null xml,
    xml_list xml[]
);

CREATE TABLE times (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    date_value date NOT NULL,
    date_value_or_null date,
    date_list date[],
    time_value time NOT NULL,
    time_value_or_null time,
    time_list time[],
    timestamp_value timestamp NOT NULL,
    timestamp_value_or_null timestamp,
    timestamp_list timestamp[],
    timestamptz_value timestamptz NOT NULL,
    timestamptz_value_or_null timestamptz,
    timestamptz_list timestamptz[],
    interval_value interval NOT NULL,
    interval_value_or_null interval,
    interval_list interval[],
    timetz_value timetz NOT NULL,
    timetz_value_or_null timetz,
    timetz_list timetz[]
);

CREATE TABLE addresses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inet_value inet NOT NULL,
    inet_value_or_null inet,
    inet_list inet[],
    cidr_value cidr NOT NULL,
    cidr_value_or_null cidr,
    cidr_list cidr[],
    macaddr_value macaddr NOT NULL,
    macaddr_value_or_null macaddr,
    macaddr_list macaddr[],
    macaddr8_value macaddr8 NOT NULL,
    macaddr8_value_or_null macaddr8,
    macaddr8_list macaddr8[]
);

CREATE TABLE ranges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    int4range_value int4range NOT NULL,
    int4range_value_or_null int4range,
    int4range_list int4range[],
    int8range_value int8range NOT NULL,
    int8range_value_or_null int8range,
    int8range_list int8range[],
    numrange_value numrange NOT NULL,
    numrange_value_or_null numrange,
    numrange_list numrange[],
    daterange_value daterange NOT NULL,
    daterange_value_or_null daterange,
    daterange_list daterange[],
    tsrange_value tsrange NOT NULL,
    tsrange_value_or_null tsrange,
    tsrange_list tsrange[],
    tstzrange_value tstzrange NOT NULL,
    tstzrange_value_or_null tstzrange,
    tstzrange_list tstzrange[],
    floatrange_value floatrange NOT NULL,
    floatrange_value_or_null floatrange,
    floatrange_list floatrange[],
    textrange_value textrange NOT NULL,
    textrange_value_or_null textrange,
    textrange_list textrange[]
);

CREATE TABLE multiranges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    int4multirange_value int4multirange NOT NULL,
    int4multirange_value_or_null int4multirange,
    int4multirange_list int4multirange[],
    int8multirange_value int8multirange NOT NULL,
    int8multirange_value_or_null int8multirange,
    int8multirange_list int8multirange[],
    nummultirange_value nummultirange NOT NULL,
    nummultirange_value_or_null nummultirange,
    nummultirange_list nummultirange[],
    datemultirange_value datemultirange NOT NULL,
    datemultirange_value_or_null datemultirange,
    datemultirange_list datemultirange[],
    tsmultirange_value tsmultirange NOT NULL,
    tsmultirange_value_or_null tsmultirange,
    tsmultirange_list tsmultirange[],
    tstzmultirange_value tstzmultirange NOT NULL,
    tstzmultirange_value_or_null tstzmultirange,
    tstzmultirange_list tstzmultirange[],
    floatmultirange_value floatmultirange NOT NULL,
    floatmultirange_value_or_null floatmultirange,
    floatmultirange_list floatmultirange[]
);

CREATE TABLE bits_and_shapes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bit_value bit(5) NOT NULL,
    bit_value_or_null bit(5),
    bit_list bit(5)[],
    varbit_value varbit NOT NULL,
    varbit_value_or_null varbit,
    varbit_list varbit[],
    point_value point NOT NULL,
    point_value_or_null point,
    point_list point[],
    line_value line NOT NULL,
    line_value_or_null line,
    line_list line[],
    lseg_value lseg NOT NULL,
    lseg_value_or_null lseg,
    lseg_list lseg[],
    box_value box NOT NULL,
    box_value_or_null box,
    box_list box[],
    path_value path NOT NULL,
    path_value_or_null path,
    path_list path[],
    polygon_value polygon NOT NULL,
    polygon_value_or_null polygon,
    polygon_list polygon[],
    circle_value circle NOT NULL,
    circle_value_or_null circle,
    circle_list circle[]
);

CREATE TABLE searches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tsvector_value tsvector NOT NULL,
    tsvector_value_or_null tsvector,
    tsvector_list tsvector[],
    tsquery_value tsquery NOT NULL,
    tsquery_value_or_null tsquery,
    tsquery_list tsquery[],
    hstore_value hstore NOT NULL,
    hstore_value_or_null hstore,
    hstore_list hstore[],
    ltree_value ltree NOT NULL,
    ltree_value_or_null ltree,
    ltree_list ltree[],
    lquery_value lquery NOT NULL,
    lquery_value_or_null lquery,
    lquery_list lquery[],
    cube_value cube NOT NULL,
    cube_value_or_null cube,
    cube_list cube[]
);

CREATE TABLE systems (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pg_lsn_value pg_lsn NOT NULL,
    pg_lsn_value_or_null pg_lsn,
    pg_lsn_list pg_lsn[],
    xid_value xid NOT NULL,
    xid_value_or_null xid,
    xid_list xid[],
    xid8_value xid8 NOT NULL,
    xid8_value_or_null xid8,
    xid8_list xid8[],
    tid_value tid NOT NULL,
    tid_value_or_null tid,
    tid_list tid[],
    pg_snapshot_value pg_snapshot NOT NULL,
    pg_snapshot_value_or_null pg_snapshot,
    pg_snapshot_list pg_snapshot[],
    regclass_value regclass NOT NULL,
    regclass_value_or_null regclass,
    regclass_list regclass[],
    regtype_value regtype NOT NULL,
    regtype_value_or_null regtype,
    regtype_list regtype[],
    regproc_value regproc NOT NULL,
    regproc_value_or_null regproc,
    regproc_list regproc[]
);

CREATE TABLE own_types (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mood_value mood NOT NULL,
    mood_value_or_null mood,
    mood_list mood[],
    email_value email NOT NULL,
    email_value_or_null email,
    email_list email[],
    happy_mood_value happy_mood NOT NULL,
    happy_mood_value_or_null happy_mood,
    happy_mood_list happy_mood[],
    postal_address_value postal_address NOT NULL,
    postal_address_value_or_null postal_address,
    postal_address_list postal_address[],
    contact_value contact NOT NULL,
    contact_value_or_null contact,
    contact_list contact[],
    checked_address_value checked_address NOT NULL,
    checked_address_value_or_null checked_address,
    checked_address_list checked_address[],
    emails_value emails NOT NULL,
    emails_value_or_null emails
);

CREATE TABLE arrays (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tags text[] NOT NULL CHECK (array_position(tags, NULL) IS NULL),
    moods mood[] CHECK (array_position(moods, NULL::mood) IS NULL),
    numbers int4[] NOT NULL,
    grid int4[][] NOT NULL,
    work_emails work_email[],
    work_email work_email,
    happy_moods happy_mood[],
    results search_result,
    rows_of_numbers numbers
);

CREATE TABLE interval_keys (
    key interval PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE numeric_keys (
    key numeric PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE range_keys (
    key int4range PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE bit_keys (
    key varbit PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE mood_keys (
    key mood PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE email_keys (
    key work_email PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE address_keys (
    key postal_address PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE text_list_keys (
    key text[] PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE inet_keys (
    key inet PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE timestamptz_keys (
    key timestamptz PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE padded_keys (
    key char(3) PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE padded_places (
    country char(3) NOT NULL REFERENCES padded_keys ON DELETE CASCADE,
    code char(5) NOT NULL,
    zip char(5) NOT NULL,
    PRIMARY KEY (country, code)
);
CREATE INDEX ON padded_places (zip);

CREATE TABLE char_keys (
    key "char" PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE lsn_keys (
    key pg_lsn PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE json_keys (
    key jsonb PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE bytes_keys (
    key bytea PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE name_keys (
    key name PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE ltree_keys (
    key ltree PRIMARY KEY,
    note text NOT NULL
);

CREATE TABLE bits_and_moods (
    bits varbit,
    mood mood,
    note text NOT NULL,
    PRIMARY KEY (bits, mood)
);
CREATE UNIQUE INDEX ON bits_and_moods (note);
