// sqlite: an immediate transaction, which keeps every other writer out, held by the sqlite3 shell.
//
// COMMIT fails when the transaction is gone, and so vouches for it. The marker is printed by a
// child, as sqlite3 buffers what it prints; it runs only when BEGIN has succeeded.
#include "hooks/hold_script.h"
#include "hooks/profiles/all.h"

#include <fmt/format.h>

#include <chrono>

namespace stillpoint::hooks::profiles {

ProfileCommands Sqlite(const ProfileInput& input) {
  const std::chrono::milliseconds patience = LockPatience(input.timeout);
  const std::string path = ShellQuoted({input.path});
  return {.hold = fmt::format(
              R"([ -f {0} ] || {{ echo 'there is no database file' {0} >&2; exit 1; }}
exec sqlite3 -bail -batch {0} '.timeout {1}' 'BEGIN IMMEDIATE;' '.shell echo STILLPOINT HELD; cat >/dev/null' 'COMMIT;')",
              path, patience.count()),
          .thaw = {}};
}

}  // namespace stillpoint::hooks::profiles
