CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE people (id bigserial PRIMARY KEY, mood mood NOT NULL);
