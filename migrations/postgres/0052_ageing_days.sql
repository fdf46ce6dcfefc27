-- Buckets are kept by their days, lowest * 10000 + highest (9999 = none), in place of their places in the one set that
-- there was: each client has his own set, and what was marked before keeps the bucket that it had.
UPDATE debt_marks SET bucket = CASE bucket WHEN 1 THEN 10030 WHEN 2 THEN 310060 WHEN 3 THEN 610090
    WHEN 4 THEN 910120 WHEN 5 THEN 1210180 WHEN 6 THEN 1810360 ELSE 3619999 END
WHERE bucket BETWEEN 1 AND 7;
UPDATE recovery_sums SET bucket = CASE bucket WHEN 1 THEN 10030 WHEN 2 THEN 310060 WHEN 3 THEN 610090
    WHEN 4 THEN 910120 WHEN 5 THEN 1210180 WHEN 6 THEN 1810360 ELSE 3619999 END
WHERE bucket BETWEEN 1 AND 7;
