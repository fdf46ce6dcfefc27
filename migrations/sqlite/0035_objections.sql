-- Objections of scripts with their answers, as JSON; and one text a tone under a template's name.
ALTER TABLE scripts ADD COLUMN objections TEXT NOT NULL DEFAULT '[]';

CREATE TABLE text_templates_toned (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    channel TEXT NOT NULL,
    language TEXT NOT NULL,
    tone TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    provider_name TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    provider_language TEXT NOT NULL DEFAULT '',
    UNIQUE (client_id, name, channel, language, tone)
);
INSERT INTO text_templates_toned (id, client_id, name, channel, language, tone, subject, body, provider_name, active,
        version, created_at, updated_at, provider_language)
    SELECT id, client_id, name, channel, language, tone, subject, body, provider_name, active,
        version, created_at, updated_at, provider_language FROM text_templates;
CREATE TABLE text_template_versions_toned (
    template_id BLOB NOT NULL REFERENCES text_templates_toned (id),
    version BIGINT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (template_id, version)
);
INSERT INTO text_template_versions_toned (template_id, version, said)
    SELECT template_id, version, said FROM text_template_versions;
DROP TABLE text_template_versions;
DROP TABLE text_templates;
ALTER TABLE text_templates_toned RENAME TO text_templates;
ALTER TABLE text_template_versions_toned RENAME TO text_template_versions;
