CREATE SCHEMA audit;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE events (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE people (id bigserial PRIMARY KEY, mood mood NOT NULL, event_id bigint REFERENCES events);
CREATE INDEX ON people (event_id);
CREATE TABLE log_lines (id bigserial PRIMARY KEY, mood mood, line text NOT NULL);
CREATE TABLE audit.events (id bigserial PRIMARY KEY, mood mood NOT NULL);
