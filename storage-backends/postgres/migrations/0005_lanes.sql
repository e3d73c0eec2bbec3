-- Clicks of a flush are written by several connections, each its lane. docs/postgres.md explains it.
-- The version before knows one lane: what it wrote is marked as lane 0, and the others begin there.

ALTER TABLE waypost.marks ADD COLUMN lane smallint NOT NULL DEFAULT 0;
ALTER TABLE waypost.marks DROP CONSTRAINT marks_pkey, ADD PRIMARY KEY (epoch, lane);

-- Compressing the visitors of an open hour, which are written again and again and hardly get smaller,
-- takes longer than all else that is done with its row.
ALTER TABLE waypost.open_hours
    ALTER COLUMN visitors SET STORAGE EXTERNAL,
    ALTER COLUMN robots SET STORAGE EXTERNAL;
