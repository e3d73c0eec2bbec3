-- Links, records, claims, the feed; clicks and their roll-ups. docs/postgres.md explains each table.
-- Times are microseconds since 1970 (UTC), as everywhere in Waypost. `data` is Waypost's own format
-- and the truth; the columns beside it are what is asked for by index, or by people.

CREATE TABLE waypost.state (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    head     bigint NOT NULL DEFAULT 0,
    trimmed  bigint NOT NULL DEFAULT 0,
    last_ids bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[11])
);
INSERT INTO waypost.state DEFAULT VALUES;

CREATE TABLE waypost.links (
    id            bigint PRIMARY KEY,
    workspace_id  bigint NOT NULL,
    domain_id     bigint NOT NULL,
    code          text COLLATE "C" NOT NULL,
    destination   text NOT NULL,
    collection_id bigint,
    active        boolean NOT NULL,
    archived      boolean NOT NULL,
    created_at    bigint NOT NULL,
    version       bigint NOT NULL,
    data          bytea NOT NULL
);
CREATE INDEX links_workspace ON waypost.links (workspace_id, id);
CREATE INDEX links_collection ON waypost.links (collection_id, id) WHERE collection_id IS NOT NULL;

CREATE TABLE waypost.link_attributes (
    workspace_id bigint NOT NULL,
    name         text COLLATE "C" NOT NULL,
    value        text COLLATE "C" NOT NULL,
    link_id      bigint NOT NULL,
    PRIMARY KEY (workspace_id, name, value, link_id)
);
CREATE INDEX link_attributes_link ON waypost.link_attributes (link_id);

CREATE TABLE waypost.records (
    noun         smallint NOT NULL,
    id           bigint NOT NULL,
    workspace_id bigint,
    data         bytea NOT NULL,
    PRIMARY KEY (noun, id)
);
CREATE INDEX records_workspace ON waypost.records (noun, workspace_id, id);

CREATE TABLE waypost.claims (
    key    bytea PRIMARY KEY,
    holder bigint NOT NULL
);

CREATE TABLE waypost.feed (
    revision bigint PRIMARY KEY,
    at       bigint NOT NULL,
    entry    bytea NOT NULL
);
CREATE INDEX feed_at ON waypost.feed (at);

CREATE TABLE waypost.remembered (
    scope      bytea PRIMARY KEY,
    expires_at bigint NOT NULL,
    data       bytea NOT NULL
);
CREATE INDEX remembered_expiry ON waypost.remembered (expires_at);

CREATE TABLE waypost.touched (
    key_id bigint PRIMARY KEY,
    at     bigint NOT NULL
);

CREATE SEQUENCE waypost.clicks_seq;
CREATE TABLE waypost.clicks (
    link_id      bigint NOT NULL,
    received     bigint NOT NULL,
    salt         integer NOT NULL,
    seq          bigint NOT NULL DEFAULT nextval('waypost.clicks_seq'),
    workspace_id bigint NOT NULL,
    clicked_at   bigint NOT NULL,
    ip           text,
    country      text,
    user_agent   text NOT NULL,
    referrer     text NOT NULL,
    language     text NOT NULL,
    session      text,
    source       text NOT NULL,
    metadata     text,
    rule         text NOT NULL,
    bot          boolean NOT NULL
) PARTITION BY RANGE (received);
CREATE INDEX clicks_link ON waypost.clicks (link_id, clicked_at, received, salt, seq);
CREATE INDEX clicks_workspace ON waypost.clicks
    (workspace_id, clicked_at, received, link_id, salt, seq);
-- One click by its id: clicks_link finds those that were clicked when they were received.
CREATE INDEX clicks_reported ON waypost.clicks (link_id, received, salt)
    WHERE clicked_at <> received;
-- Retention, which deletes what lies together.
CREATE INDEX clicks_received ON waypost.clicks USING brin (received) WITH (autosummarize = on);

CREATE TABLE waypost.link_buckets (
    link_id      bigint NOT NULL,
    grain        smallint NOT NULL,
    start        bigint NOT NULL,
    slot         integer NOT NULL,
    workspace_id bigint NOT NULL,
    clicks       bigint NOT NULL,
    bots         bigint NOT NULL,
    conversions  bigint NOT NULL,
    visitors     bytea NOT NULL,
    robots       bytea NOT NULL,
    shares       bytea NOT NULL,
    PRIMARY KEY (link_id, grain, start, slot)
);
CREATE INDEX link_buckets_days ON waypost.link_buckets (workspace_id, link_id, start)
    WHERE grain = 1;

CREATE TABLE waypost.workspace_buckets (
    workspace_id bigint NOT NULL,
    grain        smallint NOT NULL,
    start        bigint NOT NULL,
    slot         integer NOT NULL,
    clicks       bigint NOT NULL,
    bots         bigint NOT NULL,
    conversions  bigint NOT NULL,
    visitors     bytea NOT NULL,
    robots       bytea NOT NULL,
    shares       bytea NOT NULL,
    PRIMARY KEY (workspace_id, grain, start, slot)
);

CREATE TABLE waypost.link_extras (
    link_id      bigint NOT NULL,
    slot         integer NOT NULL,
    workspace_id bigint NOT NULL,
    spent        bigint NOT NULL,
    first_at     bigint,
    last_at      bigint,
    PRIMARY KEY (link_id, slot)
);

CREATE TABLE waypost.dedupe (
    key      bytea PRIMARY KEY,
    link_id  bigint NOT NULL,
    received bigint NOT NULL,
    salt     integer NOT NULL
);
CREATE INDEX dedupe_link ON waypost.dedupe (link_id);
CREATE INDEX dedupe_received ON waypost.dedupe (received);

CREATE TABLE waypost.conversions (
    link_id  bigint NOT NULL,
    received bigint NOT NULL,
    salt     integer NOT NULL,
    at       bigint NOT NULL,
    value    text,
    PRIMARY KEY (link_id, received, salt)
);
CREATE INDEX conversions_received ON waypost.conversions (received);

CREATE TABLE waypost.purged (
    link_id bigint PRIMARY KEY
);

CREATE TABLE waypost.marks (
    epoch    bytea PRIMARY KEY,
    sequence bigint NOT NULL
);

-- A row once raw clicks were trimmed: they are fewer than the roll-ups count from then on.
CREATE TABLE waypost.retention (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    trimmed_to bigint NOT NULL
);
