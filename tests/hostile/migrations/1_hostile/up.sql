-- Names that were chosen to break what is generated from them.
CREATE TYPE "odd ""mood"" \ */ }" AS ENUM ('a"c', E'c\\d', '*/', 'Self', '', '1', 'größe', 'a b', 'a+b', 'a-', 'type', 'r#type', '{}');
CREATE TABLE "hostile ""table"" */ {} \" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "quo""te" text,
    "two""""quotes" text,
    "back\slash" text,
    "new
line" text,
    "tab	here" text,
    "brace{}" text,
    "{x}" text,
    "*/ end" text,
    "/* begin" text,
    "// line" text,
    "größe" text,
    "日本" text,
    "١" text,
    "‮rtl" text,
    "🦀" text,
    "a b" text,
    "a-b" text,
    "a_b" text,
    "a__b" text,
    "'single'" text,
    "dollar$1" text,
    "#hash" text,
    "#""both""#" text,
    "x""); fn evil() {} //" text,
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" text,
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnm" text,
    "%s {0}" text,
    "\u{41}" text,
    "\" text
);
CREATE TABLE "type" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "type" text,
    "fn" text,
    "r#fn" text,
    "self" text,
    "Self" text,
    "crate" text,
    "super" text,
    "gen" text,
    "async" text,
    "try" text,
    "union" text,
    "dyn" text,
    "raw" text,
    "static" text,
    "macro_rules" text,
    "yield" text,
    "_" text,
    "__x" text,
    "1st" text,
    "id_" text
);
CREATE TABLE "options" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "table" text,
    "columns" text,
    "is_nullable" text,
    "dsl" text,
    "star" text,
    "all_columns" text,
    "SqlType" text,
    "BoxedQuery" text,
    "new" text,
    "changes" text,
    "page" text,
    "String" text,
    "Option" text,
    "None" text,
    "Some" text,
    "Ok" text,
    "Vec" text,
    "bowline" text,
    "diesel" text,
    "std" text,
    "statement" text,
    "conn" text
);
CREATE TABLE "self" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "type" bigint NOT NULL REFERENCES "type",
    "mood""s" "odd ""mood"" \ */ }" NOT NULL DEFAULT 'type',
    "crate" text NOT NULL UNIQUE
);
CREATE INDEX "index */ "" {}" ON "self" ("type");
ALTER TABLE "options" ADD CONSTRAINT "*/ ""check"" {} \" CHECK ("table" <> 'x'), ADD CONSTRAINT "Self" UNIQUE ("String");
COMMENT ON TABLE "type" IS E'one */ \" {} \r\n/// fn evil() {}\r```rust\npanic!()\n‮';
COMMENT ON COLUMN "type"."fn" IS E'\\ ends with a backslash \\';
