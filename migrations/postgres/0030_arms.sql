-- What a strategy planned beside messages, for its figures.
CREATE INDEX planned_steps_strategy ON planned_steps (strategy_id, state);
