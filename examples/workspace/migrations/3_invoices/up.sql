CREATE TABLE invoices (
    order_id bigint PRIMARY KEY REFERENCES orders,
    number text NOT NULL UNIQUE,
    paid boolean NOT NULL DEFAULT false
);
