-- What the configuration files say of a parameter, read anew; the last line counts.
SELECT f.setting, f.applied, f.error FROM pg_file_settings f WHERE f.name = $1 ORDER BY f.seqno DESC LIMIT 1
