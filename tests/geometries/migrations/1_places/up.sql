CREATE EXTENSION postgis;
CREATE TABLE places (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    place geography(Point) NOT NULL,
    entrance geometry(PointZ, 4326),
    outline geometry(Polygon, 4326),
    paths geometry(MultiLineString, 3857)[],
    anything geometry
);
CREATE INDEX places_by_place ON places USING gist (place);
-- A key, for which PostGIS has an order.
CREATE TABLE corners (at geometry(Point) PRIMARY KEY, note text NOT NULL);
