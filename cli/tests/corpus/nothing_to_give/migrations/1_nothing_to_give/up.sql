CREATE TABLE carts (id bigserial PRIMARY KEY);
CREATE TABLE tickets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doubled bigint GENERATED ALWAYS AS (1 + 1) STORED);
CREATE TABLE counters (a bigserial, b bigserial, PRIMARY KEY (a, b));
CREATE TABLE lines (id bigserial PRIMARY KEY, cart_id bigint NOT NULL REFERENCES carts);
CREATE INDEX ON lines (cart_id);
