-- A provider approves a template in one of its own languages: es_MX is another one than es.
ALTER TABLE text_templates ADD COLUMN provider_language TEXT NOT NULL DEFAULT '';
