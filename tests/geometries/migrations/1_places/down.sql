DROP TABLE corners; DROP TABLE places; DROP EXTENSION postgis;
