-- Hours that are not over: what clicks are counted into. docs/postgres.md explains it.
-- A flush writes one row for a link, and not one for its hour, one for its day and one for all time,
-- which grow; once the hour is over, the row goes into all three. There is room for a row's next
-- version beside it.

CREATE TABLE waypost.open_hours (
    LIKE waypost.link_buckets,
    CHECK (grain = 0),
    -- In the order of closing. Of any other index that begins with the hour, a planner without
    -- statistics would think that it finds a row as fast.
    PRIMARY KEY (start, slot, link_id, grain)
) WITH (fillfactor = 50);
CREATE INDEX open_hours_link ON waypost.open_hours (link_id);
CREATE INDEX open_hours_workspace ON waypost.open_hours (workspace_id, link_id);

-- What links had, in every grain: buckets, and open hours as if they were closed.
CREATE VIEW waypost.link_tallies AS
SELECT link_id, grain, start, workspace_id, clicks, bots, conversions, visitors, robots, shares
FROM waypost.link_buckets
UNION ALL
SELECT o.link_id, g.grain, CASE g.grain WHEN 0 THEN o.start WHEN 1 THEN o.start / 24 ELSE 0 END,
       o.workspace_id, o.clicks, o.bots, o.conversions, o.visitors, o.robots, o.shares
FROM waypost.open_hours AS o,
     (VALUES (0::smallint), (1::smallint), (2::smallint)) AS g (grain);
