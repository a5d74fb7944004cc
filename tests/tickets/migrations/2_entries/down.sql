DROP TABLE parcels;
DROP TABLE entries;
