-- What we did, in the order of time: what a pack on trial is held against.
CREATE INDEX ledger_acts ON ledger (at, id) WHERE kind IN ('attempt', 'message', 'visit');
