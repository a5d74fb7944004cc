CREATE TYPE order_status AS ENUM ('open', 'sent', 'returned');

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    status order_status NOT NULL DEFAULT 'open',
    cents bigint NOT NULL CHECK (cents > 0),
    ordered_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_customer_id_idx ON orders (customer_id, id);
