-- One parameter as a change sees it: what it is, where that stands, and whether this role may change it for everybody.
SELECT s.name, s.setting, s.unit, s.vartype, s.context, s.source, s.sourcefile, s.min_val, s.max_val,
       array_to_string(s.enumvals, ', ') AS choices, s.pending_restart, s.boot_val, s.short_desc, current_user::text AS role,
       pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS may_see_where,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS may_alter,
       has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE') AS may_reload
  FROM pg_settings s WHERE s.name = $1
