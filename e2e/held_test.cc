// Held hooks and profiles: the application is still for as long as somebody holds on to it, and not
// longer, whoever dies.
#include "e2e/support/backup_fixture.h"
#include "e2e/support/json.h"
#include "e2e/support/mariadb.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HeldTest : public BackupTest {
 protected:
  static MariaDb::Options Quiesced(const std::string& timeout = "") {
    MariaDb::Options options{.annotations = {{"backups.example.com/quiesce", "mariadb"}}};
    if (!timeout.empty()) options.annotations["backups.example.com/hook-timeout"] = timeout;
    return options;
  }

  static std::int64_t Micros(api::Time time) { return time.time_since_epoch().count(); }
  static std::int64_t NowMicros() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  // How many orders were written in that time, by the server's clock, which is ours.
  static int Orders(const MariaDb& database, std::int64_t from, std::int64_t to) {
    return std::stoi(database.Sql(fmt::format(
        "SELECT COUNT(*) FROM orders WHERE UNIX_TIMESTAMP(at) * 1000000 BETWEEN {} AND {}", from,
        to)));
  }

  // From `micros` to the first order after it.
  static std::chrono::milliseconds FirstOrderAfter(const MariaDb& database, std::int64_t micros) {
    const std::string first = database.Sql(fmt::format(
        "SELECT COALESCE(FLOOR(MIN(UNIX_TIMESTAMP(at)) * 1000000), 0) FROM orders WHERE "
        "UNIX_TIMESTAMP(at) * 1000000 > {}",
        micros));
    return std::chrono::milliseconds((std::stoll(first) - micros) / 1000);
  }

  // Nobody has written for 200 ms.
  static bool StandsStill(const MariaDb& database) {
    const std::int64_t now = NowMicros();
    std::this_thread::sleep_for(300ms);
    return Orders(database, now + 100'000, now + 300'000) == 0;
  }

  // The end of the freeze, as the status tells it.
  boost::json::value HookEntry(const boost::json::value& backup, const std::string& phase) {
    for (auto& hook : List(backup, "/status/hooks")) {
      if (Text(hook, "/phase") == phase) return hook;
    }
    return nullptr;
  }
};

TEST_F(HeldTest, TheMariadbProfileHoldsAServerUnderLoad) {
  const MariaDb database(kubectl, Quiesced());
  StartController();
  driver().CutDelay("500ms");
  Backup("nightly", "applicationRef: mysql");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(HookEntry(backup, "Post"), "/exitCode"), "0");
  const Cut cut = driver().Cuts().at(SnapshotNames(backup).at("data-mysql"));
  EXPECT_EQ(Orders(database, Micros(cut.start), Micros(cut.end)), 0);
  EXPECT_TRUE(database.Writes());
  EXPECT_TRUE(database.TablesAgree());
}

TEST_F(HeldTest, TheSpecMayNameTheProfile) {
  const MariaDb database(kubectl, {});
  StartController();
  Backup("nightly", "applicationRef: mysql\nquiesce: mysql");
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Completed Application Succeeded");
  EXPECT_TRUE(database.Writes());
}

// Nobody comes back: the connection that dies is the release.
TEST_F(HeldTest, AControllerThatIsKilledReleasesByItsDeath) {
  const MariaDb database(kubectl, Quiesced("3s"));
  StartController();
  driver().CutDelay("60s");
  Backup("nightly", "applicationRef: mysql\nmaxFreeze: 6s");
  WaitPhase("nightly", "Cutting");
  ASSERT_TRUE(StandsStill(database));
  const std::int64_t killed = NowMicros();
  controller().Kill9();
  ASSERT_TRUE(database.Writes());
  const auto delay = FirstOrderAfter(database, killed);
  fmt::print("writes went on {} ms after kill -9\n", delay.count());
  EXPECT_LE(delay, 1s);
  driver().CutDelay("");
  controller().Start();
  EXPECT_EQ(Outcome(WaitEnd("nightly", 120s)), "Failed - ThawedAfterRestart");
  ExpectNoSnapshots();
}

TEST_F(HeldTest, AHolderThatIsKilledIsSeenAtOnce) {
  const MariaDb database(kubectl, Quiesced());
  StartController();
  driver().CutDelay("60s");
  Backup("nightly", "applicationRef: mysql");
  WaitPhase("nightly", "Cutting");
  const std::int64_t killed = NowMicros();
  (void)kubectl({"exec", database.ref(), "-c", "mariadb", "--", "pkill", "-9", "-x", "mariadb"});
  EXPECT_TRUE(Eventually(
      [&] { return kubectl.Field("vb/nightly", ".status.reason") == "HolderLost"; }, 3s));
  EXPECT_LE(FirstOrderAfter(database, killed), 1s);
  driver().CutDelay("");
  const auto backup = WaitEnd("nightly", 120s);
  EXPECT_EQ(Outcome(backup), "Failed - HolderLost");
  EXPECT_THAT(Words(backup), HasSubstr("the application is running"));
  EXPECT_TRUE(HasEvent("nightly", "HolderLost"));
}

// Its lock would come when the statement is done: too late, and others would wait behind it.
TEST_F(HeldTest, AStatementThatWritesForLongIsNotWaitedFor) {
  const MariaDb database(kubectl, Quiesced("3s"));
  StartController();
  const CommandResult begun = kubectl(
      {"exec", database.ref(), "-c", "mariadb", "--", "sh", "-c",
       "mariadb shop -e 'CREATE TABLE late (n INT); INSERT INTO late SELECT SLEEP(20)' "
       ">/dev/null 2>&1 </dev/null & until mariadb -N -e 'SHOW PROCESSLIST' | grep -q SLEEP; do "
       "sleep 0.1; done"});
  ASSERT_EQ(begun.exit_code, 0) << begun.err;
  Backup("nightly", "applicationRef: mysql");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Failed - HookFailed");
  EXPECT_THAT(Text(HookEntry(backup, "Pre"), "/outputTail"),
              HasSubstr("Lock wait timeout exceeded"));
  EXPECT_EQ(driver().Cuts().size(), 0U);
  EXPECT_TRUE(database.Writes());
}

// A controller that hangs keeps its connections open: the timer in the container is all there is.
TEST_F(HeldTest, MaxFreezeHoldsWithoutAController) {
  const MariaDb database(kubectl, Quiesced());
  StartController();
  driver().CutDelay("60s");
  Backup("nightly", "applicationRef: mysql\nmaxFreeze: 4s");
  WaitPhase("nightly", "Cutting");
  const std::int64_t paused = NowMicros();
  controller().Pause();
  ASSERT_TRUE(database.Writes());
  EXPECT_LE(FirstOrderAfter(database, paused), 4500ms);
  std::this_thread::sleep_for(1s);
  driver().CutDelay("");
  controller().Continue();
  EXPECT_EQ(Outcome(WaitEnd("nightly", 120s)), "Failed - FreezeExpired");
  ExpectNoSnapshots();
}

// The guard ends the pre-hook at once, and its end is known: nothing is left to wait for.
TEST_F(HeldTest, ACancelDuringAPreHookSettlesAtOnce) {
  const StillApp app(kubectl, {.annotations = Hooked(StillApp::kPreHook + std::string("; sleep 60"),
                                                     StillApp::kPostHook, "30s")});
  StartController();
  Backup("nightly", "applicationRef: app");
  WaitPhase("nightly", "Freezing");
  ASSERT_TRUE(Eventually([&] { return app.IsFrozen(); }, 5s));
  Patch("nightly", R"({"cancel":true})");
  EXPECT_EQ(Outcome(WaitEnd("nightly", 8s)), "Cancelled - Cancelled");
  EXPECT_FALSE(app.IsFrozen());
}

}  // namespace
}  // namespace stillpoint::e2e
