// Recognises a hook that takes a database lock in a client which then ends: the server drops the
// lock with the session, before anything was cut, and says nothing.
#pragma once

#include <string>
#include <vector>

namespace stillpoint::hooks {

// True for FLUSH TABLES WITH READ LOCK (or FOR EXPORT), LOCK TABLES, LOCK INSTANCE FOR BACKUP,
// BACKUP STAGE, pg_start_backup and pg_backup_start in a call of mysql, mariadb or psql, in any
// case and spacing, unless the shell runs that client in the background (`&` and its like), where
// it can outlive the hook. A guess, as it reads the text only: in doubt it says true, because a
// lock that is believed and not held makes a bad backup look good.
[[nodiscard]] bool TakesSessionLock(const std::vector<std::string>& argv);

}  // namespace stillpoint::hooks
