CREATE EXTENSION citext;
CREATE TABLE all_types (id bigserial PRIMARY KEY,
    t0 bool NOT NULL,
    t1 int2 NOT NULL,
    t2 int4 NOT NULL,
    t3 int8 NOT NULL,
    t4 oid NOT NULL,
    t5 float4 NOT NULL,
    t6 float8 NOT NULL,
    t7 text NOT NULL,
    t8 varchar(9) NOT NULL,
    t9 char(3) NOT NULL,
    t10 bytea NOT NULL,
    t11 date NOT NULL,
    t12 time NOT NULL,
    t13 timestamp NOT NULL,
    t14 timestamptz NOT NULL,
    t15 json NOT NULL,
    t16 jsonb NOT NULL,
    t17 uuid NOT NULL,
    t18 numeric(9,2) NOT NULL,
    t19 inet NOT NULL,
    t20 cidr NOT NULL,
    t21 citext NOT NULL
);
CREATE TABLE all_arrays (id bigserial PRIMARY KEY,
    t0 bool[],
    t1 int2[],
    t2 int4[],
    t3 int8[],
    t4 oid[],
    t5 float4[],
    t6 float8[],
    t7 text[],
    t8 varchar(9)[],
    t9 char(3)[],
    t10 bytea[],
    t11 date[],
    t12 time[],
    t13 timestamp[],
    t14 timestamptz[],
    t15 json[],
    t16 jsonb[],
    t17 uuid[],
    t18 numeric(9,2)[],
    t19 inet[],
    t20 cidr[],
    t21 citext[]
);
CREATE TABLE by_0 (key bool PRIMARY KEY, at bool UNIQUE, name text);
CREATE TABLE by_1 (key int2 PRIMARY KEY, at int2 UNIQUE, name text);
CREATE TABLE by_2 (key int4 PRIMARY KEY, at int4 UNIQUE, name text);
CREATE TABLE by_3 (key int8 PRIMARY KEY, at int8 UNIQUE, name text);
CREATE TABLE by_4 (key oid PRIMARY KEY, at oid UNIQUE, name text);
CREATE TABLE by_5 (key float4 PRIMARY KEY, at float4 UNIQUE, name text);
CREATE TABLE by_6 (key float8 PRIMARY KEY, at float8 UNIQUE, name text);
CREATE TABLE by_7 (key text PRIMARY KEY, at text UNIQUE, name text);
CREATE TABLE by_8 (key varchar(9) PRIMARY KEY, at varchar(9) UNIQUE, name text);
CREATE TABLE by_9 (key char(3) PRIMARY KEY, at char(3) UNIQUE, name text);
CREATE TABLE by_10 (key bytea PRIMARY KEY, at bytea UNIQUE, name text);
CREATE TABLE by_11 (key date PRIMARY KEY, at date UNIQUE, name text);
CREATE TABLE by_12 (key time PRIMARY KEY, at time UNIQUE, name text);
CREATE TABLE by_13 (key timestamp PRIMARY KEY, at timestamp UNIQUE, name text);
CREATE TABLE by_14 (key timestamptz PRIMARY KEY, at timestamptz UNIQUE, name text);
CREATE TABLE by_17 (key uuid PRIMARY KEY, at uuid UNIQUE, name text);
CREATE TABLE by_18 (key numeric(9,2) PRIMARY KEY, at numeric(9,2) UNIQUE, name text);
CREATE TABLE by_19 (key inet PRIMARY KEY, at inet UNIQUE, name text);
CREATE TABLE by_20 (key cidr PRIMARY KEY, at cidr UNIQUE, name text);
CREATE TABLE by_21 (key citext PRIMARY KEY, at citext UNIQUE, name text);
CREATE TABLE by_jsonb (key jsonb PRIMARY KEY, at jsonb UNIQUE, name text);
CREATE TABLE by_array (key integer[] PRIMARY KEY, at text[] UNIQUE, name text);
CREATE TABLE by_several (a float8, b bytea, c bool, d jsonb, e text, f uuid, g numeric, name text, PRIMARY KEY (a, b, c, d, e, f, g));
CREATE TABLE by_10_with_array (key bytea PRIMARY KEY, name text, tags text[]);
CREATE TABLE by_text_with_array (key text PRIMARY KEY, name text, tags text[]);
