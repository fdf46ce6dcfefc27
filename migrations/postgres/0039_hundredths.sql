-- What a debtor promised and paid (promised_minor, paid_minor) is kept in hundredths of its currency's unit, as
-- segments ask for money: in currencies of two digits, minor units as before.
UPDATE debtors SET promised_minor=(SELECT (COALESCE(SUM(CASE WHEN x.currency IN ('BIF','CLP','DJF','GNF','ISK','JPY','KMF','KRW','PYG','RWF','UGX','UYI','VND','VUV','XAF','XOF','XPF') THEN x.amount_minor*100
            WHEN x.currency IN ('BHD','IQD','JOD','KWD','LYD','OMR','TND') THEN 0 ELSE x.amount_minor END),0)
        +CAST(COALESCE(SUM(CASE WHEN x.currency IN ('BHD','IQD','JOD','KWD','LYD','OMR','TND') THEN x.amount_minor END),0) AS BIGINT)/10)
        FROM promises x WHERE x.debtor_id=debtors.id AND x.state='active')
    WHERE id IN (SELECT debtor_id FROM promises WHERE currency IN ('BIF','CLP','DJF','GNF','ISK','JPY','KMF','KRW','PYG','RWF','UGX','UYI','VND','VUV','XAF','XOF','XPF','BHD','IQD','JOD','KWD','LYD','OMR','TND'));
UPDATE debtors SET paid_minor=(SELECT (COALESCE(SUM(CASE WHEN x.currency IN ('BIF','CLP','DJF','GNF','ISK','JPY','KMF','KRW','PYG','RWF','UGX','UYI','VND','VUV','XAF','XOF','XPF') THEN x.amount_minor*100
            WHEN x.currency IN ('BHD','IQD','JOD','KWD','LYD','OMR','TND') THEN 0 ELSE x.amount_minor END),0)
        +CAST(COALESCE(SUM(CASE WHEN x.currency IN ('BHD','IQD','JOD','KWD','LYD','OMR','TND') THEN x.amount_minor END),0) AS BIGINT)/10)
        FROM payments x WHERE x.debtor_id=debtors.id)
    WHERE id IN (SELECT debtor_id FROM payments WHERE currency IN ('BIF','CLP','DJF','GNF','ISK','JPY','KMF','KRW','PYG','RWF','UGX','UYI','VND','VUV','XAF','XOF','XPF','BHD','IQD','JOD','KWD','LYD','OMR','TND'));
