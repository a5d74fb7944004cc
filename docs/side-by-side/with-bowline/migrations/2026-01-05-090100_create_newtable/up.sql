CREATE TABLE newtable (
    id int,
    status boolean NOT NULL DEFAULT false
);
