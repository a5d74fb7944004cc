-- Keys that begin with a tenant, with and without a foreign key.
CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE parcels (
    tenant_id uuid REFERENCES tenants,
    id bigint,
    box integer NOT NULL,
    weight numeric,
    made timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON parcels (tenant_id, made DESC);
CREATE INDEX ON parcels (tenant_id, box, id);
CREATE INDEX ON parcels (tenant_id, id DESC);
CREATE INDEX parcels_box_idx ON parcels (tenant_id, id) WHERE box > 7;
CREATE TABLE visits (day date, shop text, number integer, note text, PRIMARY KEY (day, shop, number));
CREATE INDEX ON visits (day, note, number);
CREATE INDEX ON visits (shop, number);
CREATE TABLE "odd keys" ("Tenant" char(3), "page" inet, "key" integer NOT NULL, PRIMARY KEY ("Tenant", "page"));
