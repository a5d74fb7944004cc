-- name: within :many
-- The places within some metres of a point, the nearest first.
SELECT id, name, place, ST_Distance(place, :center) AS metres
  FROM places
 WHERE ST_DWithin(place, :center, :metres)
 ORDER BY place <-> :center, id;

-- name: outline_of :optional
SELECT outline, ST_Area(outline) AS area, ST_AsGeoJSON(outline) AS geojson, ST_Centroid(outline) AS middle
  FROM places
 WHERE id = :id;

-- name: move_to :affected
UPDATE places SET place = :place, entrance = :entrance WHERE id = :id;

-- name: corners_of :many
SELECT places.id, (corner).path, ST_X((corner).geom) AS x, ST_Y((corner).geom) AS y
  FROM places, ST_DumpPoints(outline) corner
 WHERE places.id = :id;

-- name: extent :one
SELECT ST_Extent(outline)::geometry AS box, count(*) AS places FROM places WHERE outline && ST_MakeEnvelope(:west, :south, :east, :north, 4326);

-- name: systems :many
SELECT f_geometry_column, type, srid FROM geometry_columns WHERE f_table_name = 'places' ORDER BY 1;
