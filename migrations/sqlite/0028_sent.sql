-- What a client sent in a time: the morning counts it, and so do the costs of messages.
CREATE INDEX messages_sent ON messages (client_id, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX letters_made ON letters (client_id, made_at);
