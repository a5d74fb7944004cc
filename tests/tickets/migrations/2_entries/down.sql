DROP TABLE audit.checks, checks, audit.bins, bins;
DROP TABLE parcels;
DROP TABLE entries;
