-- Objections of scripts with their answers, as JSON; and one text a tone under a template's name.
ALTER TABLE scripts ADD COLUMN objections TEXT NOT NULL DEFAULT '[]';

ALTER TABLE text_templates DROP CONSTRAINT text_templates_client_id_name_channel_language_key;
ALTER TABLE text_templates ADD UNIQUE (client_id, name, channel, language, tone);
