-- How far each projection of a topic has read: the next message of every partition, moved in the
-- transaction of its rows, and where the partition ended when its reader last looked.
CREATE TABLE IF NOT EXISTS views.offsets (
    projection text   NOT NULL,
    version    int    NOT NULL,
    part       int    NOT NULL,
    next       bigint NOT NULL,
    ends       bigint NOT NULL,
    PRIMARY KEY (projection, part)
);

DO $$
BEGIN
    EXECUTE format('GRANT ALL ON views.offsets TO %I', current_setting('mega.app_role'));
END $$;
