-- Debtors whom no file made, by their ids: a page of debtors that passes over a file that is half in reads these
-- alone where that file's rows lie, and none of them is touched by a file.
CREATE INDEX debtors_unfiled ON debtors (id) WHERE made_by IS NULL;
