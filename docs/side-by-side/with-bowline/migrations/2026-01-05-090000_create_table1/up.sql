CREATE TABLE table1 (
    id serial PRIMARY KEY,
    description varchar(30) NOT NULL
);
