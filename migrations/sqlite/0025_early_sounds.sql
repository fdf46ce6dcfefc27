-- What was heard before an answer, as it was last taken for: tones of the network, or somebody who speaks.
CREATE TABLE early_sounds (
    attempt_id BLOB PRIMARY KEY NOT NULL,
    trunk_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    class TEXT NOT NULL
);
CREATE INDEX early_sounds_trunk ON early_sounds (trunk_id, at);
