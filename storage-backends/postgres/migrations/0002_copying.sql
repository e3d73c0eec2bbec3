-- How far a copy into this database has come, until it is whole. docs/postgres.md explains it.

CREATE TABLE waypost.copying (
    part smallint PRIMARY KEY,
    note bytea NOT NULL
);
