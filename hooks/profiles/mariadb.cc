// mariadb, mysql: a global read lock, held by the session of a command-line client.
//
// FLUSH TABLES WITH READ LOCK and not BACKUP STAGE BLOCK_COMMIT: it is there in MySQL too, and it
// lets no statement of any engine write, so that several volumes of one server (data, log) agree;
// BACKUP STAGE lets open transactions go on changing pages. Its price is that it waits for
// statements that run, and that others wait behind it meanwhile: lock_wait_timeout bounds that.
//
// One client process takes the lock, waits in `\!` for the end of its input, which is the hook's,
// and goes on with the next statement of the same session. Without reconnect, that fails when the
// session was lost in between, and with it the lock: then the exit code is not 0.
#include "hooks/profiles/all.h"

#include <fmt/format.h>

namespace stillpoint::hooks::profiles {
namespace {

// The user and password of the usual images, where no option file says better. A server that is not
// reached as its configuration says is tried on 127.0.0.1.
constexpr std::string_view kClient =
    R"(c=$(command -v mariadb || command -v mysql) || { echo 'there is neither mariadb nor mysql in this container' >&2; exit 127; }
p=${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}
f=${MARIADB_ROOT_PASSWORD_FILE:-$MYSQL_ROOT_PASSWORD_FILE}
[ -n "$p" ] || [ -z "$f" ] || p=$(cat "$f") || exit
set --
if [ -n "$p" ] && ! [ -r "${HOME:-/root}/.my.cnf" ]; then export MYSQL_PWD="$p"; set -- --user=root; fi
try() { "$c" "$@" -e 'SELECT 1' >/dev/null 2>&1 </dev/null; }
try "$@" || ! try "$@" --protocol=tcp --host=127.0.0.1 || set -- "$@" --protocol=tcp --host=127.0.0.1
)";

constexpr std::string_view kHold =
    R"(exec "$c" "$@" --batch --skip-column-names --unbuffered --skip-reconnect -e "SET SESSION lock_wait_timeout={}, SESSION wait_timeout=86400;
FLUSH TABLES WITH READ LOCK;
SELECT 'STILLPOINT HELD';
\\! cat >/dev/null
SELECT 'still locked';
UNLOCK TABLES;")";

}  // namespace

ProfileCommands Mariadb(const ProfileInput& input) {
  return {.hold = std::string(kClient) +
                  fmt::format(fmt::runtime(kHold), LockPatience(input.timeout).count()),
          .thaw = {}};
}

}  // namespace stillpoint::hooks::profiles
