CREATE SCHEMA app;
CREATE SCHEMA audit;
CREATE TYPE app.state AS ENUM ('on', 'off');
CREATE TYPE audit.state AS ENUM ('seen', 'unseen');
CREATE TYPE blood AS ENUM ('A+', 'A-', 'B+', 'B-', 'AB+', '0-');
CREATE TYPE op AS ENUM ('<', '<=', '=', '>=', '>', '!=', '<>', '+', '-', '*', '/');
CREATE TYPE odd AS ENUM ('', ' ', 'a', 'A', 'self', 'Self', 'ALL', 'as_str', 'größe', '1', '2nd', '👍', 'it''s', '"', '\', 'x
y', 'None', 'Ok', 'type');
CREATE TYPE role AS ENUM ('user', 'admin');
CREATE TABLE roles (id serial PRIMARY KEY, role role NOT NULL, roles role[] NOT NULL DEFAULT '{}');
CREATE TABLE things (id serial PRIMARY KEY, state app.state NOT NULL, seen audit.state, blood blood NOT NULL UNIQUE, op op[], odd odd NOT NULL DEFAULT 'a');
CREATE TABLE by_blood (blood blood PRIMARY KEY, op op);
CREATE TYPE empty AS ENUM ();
CREATE TABLE without (id serial PRIMARY KEY, empty empty, name text NOT NULL);
