-- Clicks of a flush are written by several connections, each its lane. docs/postgres.md explains it.
-- What all lanes have written of an epoch is in `marks`, as the version before has it and goes on.

CREATE TABLE waypost.lane_marks (
    epoch    bytea,
    lane     smallint,
    sequence bigint NOT NULL,
    PRIMARY KEY (epoch, lane)
);

-- Compressing the visitors of an open hour, which are written again and again and hardly get smaller,
-- takes longer than all else that is done with its row.
ALTER TABLE waypost.open_hours
    ALTER COLUMN visitors SET STORAGE EXTERNAL,
    ALTER COLUMN robots SET STORAGE EXTERNAL;
