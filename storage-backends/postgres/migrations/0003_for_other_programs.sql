-- Views for other programs, which read links and insert clicks (SPEC 5). docs/postgres.md explains them.
-- Both run with the rights of whoever migrates; whoever may use them needs no right on a table.

ALTER TABLE waypost.links ADD COLUMN description text;
-- A code on the default domain.
CREATE INDEX links_code ON waypost.links (code) WHERE domain_id = 0;

-- Clicks that were inserted, until a node counts them.
CREATE TABLE waypost.inbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    link_id      bigint NOT NULL,
    workspace_id bigint NOT NULL,
    received     bigint NOT NULL,
    clicked_at   bigint NOT NULL,
    ip           text,
    user_agent   text NOT NULL,
    referrer     text NOT NULL,
    session      text,
    source       text NOT NULL,
    metadata     text
);

CREATE VIEW waypost.link_tracking AS
SELECT l.code AS tracking_id,
       l.destination AS original_url,
       (SELECT a.value FROM waypost.link_attributes a
        WHERE a.link_id = l.id AND a.name = 'link_function') AS link_function,
       (SELECT a.value FROM waypost.link_attributes a
        WHERE a.link_id = l.id AND a.name = 'link_type') AS link_type,
       (SELECT a.value FROM waypost.link_attributes a
        WHERE a.link_id = l.id AND a.name = 'job_id') AS job_id,
       (SELECT a.value FROM waypost.link_attributes a
        WHERE a.link_id = l.id AND a.name = 'application_id') AS application_id,
       l.description,
       l.active AS is_active,
       timestamptz 'epoch' + l.created_at * interval '1 microsecond' AS created_at
FROM waypost.links l
WHERE l.domain_id = 0;

CREATE VIEW waypost.link_clicks AS
SELECT l.code AS tracking_id,
       timestamptz 'epoch' + c.clicked_at * interval '1 microsecond' AS clicked_at,
       c.ip AS ip_address,
       c.user_agent,
       c.referrer AS referrer_url,
       c.session AS session_id,
       c.source AS click_source,
       c.metadata::json AS metadata
FROM waypost.clicks c JOIN waypost.links l ON l.id = c.link_id
WHERE l.domain_id = 0;

-- The same bounds as those of a click that the API is told of. The path is pinned, and pg_temp,
-- where anybody may put a table, comes last.
CREATE FUNCTION waypost.insert_click() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_link      bigint;
    found_workspace bigint;
    received        timestamptz := clock_timestamp();
    clicked         timestamptz := coalesce(NEW.clicked_at, received);
    session         text := nullif(NEW.session_id, '');
    source          text := coalesce(NEW.click_source, 'direct');
    control         text := '[\u0001-\u001f\u007f-\u009f]';
BEGIN
    SELECT id, workspace_id INTO found_link, found_workspace FROM waypost.links
    WHERE code = NEW.tracking_id AND domain_id = 0 AND active;
    IF found_link IS NULL THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('no active link has the tracking_id %L', NEW.tracking_id);
    ELSIF clicked < timestamptz '2000-01-01 00:00:00+00' OR clicked > received + interval '5 minutes' THEN
        RAISE check_violation USING
            MESSAGE = 'clicked_at: expected a time from 2000 on, not over 5 minutes ahead';
    ELSIF octet_length(session) > 256 OR session ~ control THEN
        RAISE check_violation USING MESSAGE = 'session_id: at most 256 printable bytes';
    ELSIF source = '' OR octet_length(source) > 64 OR source ~ control THEN
        RAISE check_violation USING MESSAGE = 'click_source: 1 to 64 printable bytes';
    ELSIF json_typeof(NEW.metadata) <> 'object' OR octet_length(NEW.metadata::text) > 4096 THEN
        RAISE check_violation USING MESSAGE = 'metadata: a JSON object of at most 4096 bytes';
    ELSIF strpos(NEW.ip_address, '/') > 0 THEN
        RAISE check_violation USING MESSAGE = 'ip_address: expected an IP address';
    END IF;
    INSERT INTO waypost.inbox (link_id, workspace_id, received, clicked_at, ip, user_agent,
                               referrer, session, source, metadata)
    VALUES (found_link, found_workspace, extract(epoch FROM received) * 1000000,
            extract(epoch FROM clicked) * 1000000, host(NEW.ip_address::inet),
            coalesce(left(NEW.user_agent, 512), ''), coalesce(left(NEW.referrer_url, 8192), ''),
            session, source, NEW.metadata::text);
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION waypost.insert_click() FROM PUBLIC;

CREATE TRIGGER insert_click INSTEAD OF INSERT ON waypost.link_clicks
FOR EACH ROW EXECUTE FUNCTION waypost.insert_click();

-- In the schema where other programs look for them, where that is allowed and the names are free.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace
               WHERE nspname = 'public' AND has_schema_privilege(oid, 'CREATE'))
       AND to_regclass('public.link_tracking') IS NULL
       AND to_regclass('public.link_clicks') IS NULL THEN
        ALTER VIEW waypost.link_tracking SET SCHEMA public;
        ALTER VIEW waypost.link_clicks SET SCHEMA public;
    END IF;
END $$;

-- Roles belong to the whole server: it may be there, be made right now for another database, or be
-- nothing that this user may make.
DO $$
DECLARE
    home text := CASE WHEN to_regclass('waypost.link_clicks') IS NULL THEN 'public' ELSE 'waypost' END;
BEGIN
    BEGIN
        CREATE ROLE link_tracking_user NOLOGIN;
    EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        NULL;
    END;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'link_tracking_user') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO link_tracking_user', home);
        EXECUTE format('GRANT SELECT ON %I.link_tracking TO link_tracking_user', home);
        EXECUTE format('GRANT INSERT ON %I.link_clicks TO link_tracking_user', home);
    END IF;
END $$;
