-- What differs from what the server would do by itself, and what waits for a restart. Our own session's are left out.
SELECT s.name, s.setting, s.unit, s.source, s.sourcefile, s.sourceline, s.pending_restart, s.context, s.boot_val, s.category,
       s.short_desc, pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS may_read_all
  FROM pg_settings s
 WHERE s.pending_restart OR s.source NOT IN ('default', 'client', 'session', 'override')
 ORDER BY s.pending_restart DESC, s.category, s.name
