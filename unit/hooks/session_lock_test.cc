#include "hooks/session_lock.h"

#include <gtest/gtest.h>

namespace stillpoint::hooks {
namespace {

bool Shell(const std::string& text) {
  return TakesSessionLock({"/bin/sh", "-c", text});
}

TEST(SessionLockTest, KnowsTheStatements) {
  for (const char* text : {
           "mysql -e 'FLUSH TABLES WITH READ LOCK'",
           "mysql -u root -p$PASSWORD -e \"flush  tables\n with\tREAD lock;\"",
           "mysql -e 'FLUSH LOCAL TABLES a, b WITH READ LOCK'",
           "mariadb -e 'FLUSH NO_WRITE_TO_BINLOG TABLES WITH READ LOCK'",
           "mysql -e 'FLUSH TABLES orders FOR EXPORT'",
           "/usr/bin/mysql -e 'SET x=1; LOCK TABLES a READ'",
           "mysql -e 'LOCK INSTANCE FOR BACKUP'",
           "mariadb -e 'BACKUP STAGE START; BACKUP STAGE BLOCK_COMMIT'",
           "psql -c \"SELECT pg_start_backup('x', true)\"",
           "psql -U postgres -c 'select pg_backup_start($$x$$);'",
           "psql -c 'BEGIN; LOCK TABLE a'",
           "sync && mysql -e 'FLUSH TABLES WITH READ LOCK' && sync",
           "sleep 1; mysql -e 'FLUSH TABLES WITH READ LOCK'",
           "mysql -e 'FLUSH TABLES WITH READ LOCK' >/log 2>&1",
           "mysql -e 'FLUSH TABLES WITH READ LOCK' &>/log",
           "mysql -e 'FLUSH TABLES WITH READ LOCK' |& tee /log",
           "echo 'flush tables with read lock;' | mysql",
           "mysql <<EOF\nFLUSH TABLES WITH READ LOCK;\nEOF",
           "mysql -e 'FLUSH TABLES WITH READ LOCK'; sync &",
           "mysql -p'a&b' -e 'FLUSH TABLES WITH READ LOCK'",
           "if true; then mysql -e 'FLUSH TABLES WITH READ LOCK'; fi",
       }) {
    EXPECT_TRUE(Shell(text)) << text;
  }
}

TEST(SessionLockTest, LeavesOtherHooksAlone) {
  for (const char* text : {
           "",
           "fsfreeze -f /var/lib/mysql",
           "mysql -e 'FLUSH TABLES'",
           "mysql -e 'UNLOCK TABLES'",
           "mysql -e 'FLUSH TABLES; SELECT 1 WITH READ LOCK'",
           "mysql -e 'SET GLOBAL read_only = 1'",
           "mysqldump --lock-tables shop",
           "psql -c CHECKPOINT",
           "psql -c 'select pg_backup_stop()'",
           "echo FLUSH TABLES WITH READ LOCK",
       }) {
    EXPECT_FALSE(Shell(text)) << text;
  }
}

TEST(SessionLockTest, LetsAClientInTheBackgroundHoldItsLock) {
  for (const char* text : {
           "(echo 'FLUSH TABLES WITH READ LOCK;'; sleep 600) | mysql &",
           "(echo 'FLUSH TABLES WITH READ LOCK;'; sleep 600) | mysql >/dev/null 2>&1 & sleep 1",
           "{ echo 'LOCK TABLES a READ;'; tail -f /fifo; } | mariadb &",
           "nohup mysql -e 'FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600)' &",
           "mkfifo /f; mysql </f & exec 4>/f; echo 'FLUSH TABLES WITH READ LOCK;' >&4",
           "setsid -f mysql -e 'FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600)'",
       }) {
    EXPECT_FALSE(Shell(text)) << text;
  }
}

TEST(SessionLockTest, ReadsAnArgvWithoutShell) {
  EXPECT_TRUE(TakesSessionLock({"mysql", "-e", "FLUSH TABLES WITH READ LOCK"}));
  EXPECT_TRUE(TakesSessionLock({"/usr/bin/psql", "-c", "select pg_backup_start('x')"}));
  EXPECT_TRUE(TakesSessionLock({"timeout", "5", "mysql", "-e", "lock tables a read"}));
  EXPECT_TRUE(TakesSessionLock({"bash", "-euc", "mysql -e 'FLUSH TABLES WITH READ LOCK'"}));
  EXPECT_TRUE(TakesSessionLock({"sh", "-c", "mysql -e \"$1\"", "x", "LOCK TABLES a READ"}));
  EXPECT_FALSE(TakesSessionLock({"mysql", "-e", "FLUSH TABLES", "WITH READ LOCK"}));
  EXPECT_FALSE(TakesSessionLock({"fsfreeze", "-f", "/var/lib/mysql"}));
  EXPECT_FALSE(TakesSessionLock({}));
}

TEST(SessionLockTest, ReadsALongTextInNoTime) {
  EXPECT_FALSE(Shell(std::string(250'000, '(')));
  EXPECT_FALSE(Shell("mysql " + std::string(250'000, '\'')));
}

}  // namespace
}  // namespace stillpoint::hooks
