// Hooks that misbehave, and hooks as people have written them.
#include "e2e/support/backup_fixture.h"
#include "e2e/support/json.h"
#include "e2e/support/mariadb.h"
#include "e2e/support/text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <thread>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

const std::string kPre = StillApp::kPreHook;
const std::string kPost = StillApp::kPostHook;

class HookTest : public BackupTest {};

// The entry of status.hooks for a pre- or post-hook.
boost::json::value HookEntry(const boost::json::value& backup, const std::string& phase) {
  for (auto& hook : List(backup, "/status/hooks")) {
    if (Text(hook, "/phase") == phase) return hook;
  }
  return nullptr;
}

TEST_F(HookTest, ThatFailsEndsTheBackupAndIsThawed) {
  const StillApp app(kubectl,
                     {.annotations = Hooked(kPre + "; echo disk full >&2; exit 3", kPost)});
  StartController();
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Failed - HookFailed");
  EXPECT_THAT(Words(backup), HasSubstr("exit code 3"));
  EXPECT_EQ(Text(HookEntry(backup, "Pre"), "/exitCode"), "3");
  EXPECT_THAT(Text(HookEntry(backup, "Pre"), "/outputTail"), HasSubstr("disk full"));
  EXPECT_EQ(driver().Cuts().size(), 0U);
  ExpectNeverStillLongerThan(app, 3s);
  ExpectNoSnapshots();
}

TEST_F(HookTest, ThatFailsAndMayIsCrashConsistent) {
  auto hooks = Hooked("echo no; exit 1", kPost);
  hooks["backups.example.com/hook-on-error"] = "Continue";
  const StillApp app(kubectl, {.annotations = hooks});
  StartController();
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Crash Succeeded");
  EXPECT_EQ(Text(backup, "/status/consistencyReason"), "HookFailed");
  EXPECT_TRUE(HasEvent("nightly", "Inconsistent"));
  EXPECT_GE(app.Ran("post"), 1);
}

// Closing an exec does not end its command: without a guard this one would freeze the application
// two seconds after everybody has gone.
TEST_F(HookTest, ThatTimesOutNeverFreezesLater) {
  const StillApp app(kubectl, {.annotations = Hooked("usleep 3000000; " + kPre, kPost, "1s")});
  StartController();
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Failed - HookTimedOut");
  std::this_thread::sleep_for(3s);  // the freeze that must not come
  EXPECT_EQ(app.StoodStill().size(), 0U);
  EXPECT_EQ(app.Ran("pre"), 0);
  EXPECT_FALSE(app.IsFrozen());
  ExpectNoSnapshots();
}

TEST_F(HookTest, ThatHangsWhileItHoldsTheApplicationIsThawed) {
  const StillApp app(kubectl, {.annotations = Hooked(kPre + "; sleep 1000", kPost, "1s")});
  StartController();
  Backup("nightly", "applicationRef: app");
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - HookTimedOut");
  ExpectNeverStillLongerThan(app, 4s);
  EXPECT_EQ(kubectl.Exec(app.Pods()[0], "ps | grep -c '[s]leep 1000' || true"), "0\n");
}

TEST_F(HookTest, MayPrint100MB) {
  const StillApp app(
      kubectl, {.annotations = Hooked(
                    "head -c 100000000 /dev/zero | tr '\\0' x; echo last words; " + kPre, kPost)});
  StartController();
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_THAT(Text(HookEntry(backup, "Pre"), "/outputTail"), SizeIs(Le(1024U)));
  EXPECT_THAT(Text(HookEntry(backup, "Pre"), "/outputTail"), EndsWith("xlast words\nquiet\n"));
  EXPECT_LE(controller().PeakMemory(), 64U << 20);
}

TEST_F(HookTest, WithoutTheOneThatThawsIsWarnedOf) {
  const StillApp app(kubectl, {.annotations = {{"backups.example.com/pre-hook", "sync"}}});
  StartController();
  Backup("nightly", "applicationRef: app");
  EXPECT_EQ(Text(WaitEnd("nightly"), "/status/phase"), "Completed");
  EXPECT_TRUE(HasEvent("nightly", "PostHookMissing"));
  EXPECT_FALSE(app.IsFrozen());
}

TEST_F(HookTest, ThatThawsIsTriedUntilItSucceeds) {
  const StillApp app(
      kubectl, {.annotations =
                    Hooked(kPre, "test -e /ctl/tried || { touch /ctl/tried; exit 1; }; " + kPost)});
  StartController();
  Backup("nightly", "applicationRef: app");
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Completed Application Succeeded");
  EXPECT_TRUE(HasEvent("nightly", "ThawRetrying"));
  ExpectNeverStillLongerThan(app, 5s);
}

TEST_F(HookTest, InTwoSpellingsIsTakenFromTheNewerOneWithAWarning) {
  auto hooks = Hooked(kPre, kPost);
  hooks["backups.example.com.pre-hook"] = "exit 1";
  const StillApp app(kubectl, {.annotations = hooks});
  StartController();
  Backup("nightly", "applicationRef: app");
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Completed Application Succeeded");
  EXPECT_TRUE(HasEvent("nightly", "HookConflict"));
}

TEST_F(HookTest, OfTheSpecStandsInForThatOfThePod) {
  const StillApp app(kubectl, {.annotations = Hooked("exit 1", "exit 1")});
  StartController();
  Backup("nightly", fmt::format("applicationRef: app\nhooks:\n- name: quiet\n  shell: |\n{}"
                                "  postShell: |\n{}",
                                Indent(kPre, 4), Indent(kPost, 4)));
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(HookEntry(backup, "Pre"), "/hook"), "quiet");
  ExpectCutWhileStill(app, backup);
}

constexpr char kBare[] = R"(apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 16Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: docker.io/local/scratchpad:1
    imagePullPolicy: Never
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
)";

TEST_F(HookTest, InAContainerWithoutAShellSaysWhatIsMissing) {
  kubectl.Apply(kBare);
  const CommandResult ready =
      kubectl({"wait", "pod/bare", "--for=condition=Ready", "--timeout=60s"});
  ASSERT_EQ(ready.exit_code, 0) << ready.err;
  StartController();
  const std::string spec = "applicationRef: pod/bare\nhooks:\n- name: quiet\n  timeout: 2s\n  ";
  Backup("argv", spec + "command: [/nope, --quiet]\n  postCommand: [/nope, --loud]");
  const auto argv = WaitEnd("argv", 90s);
  EXPECT_EQ(Outcome(argv), "Failed - HookFailed");
  EXPECT_THAT(Words(argv), HasSubstr("/nope"));
  EXPECT_THAT(Words(argv), HasSubstr("bare"));
  Backup("shell", spec + "shell: sync\n  postShell: sync");
  const auto shell = WaitEnd("shell", 90s);
  EXPECT_EQ(Outcome(shell), "Failed - HookFailed");
  EXPECT_THAT(Words(shell), HasSubstr("/bin/sh"));
  ExpectNoSnapshots();
}

// ---- a real database --------------------------------------------------------------------------

// The manifest that was documented once, verbatim: a lock that ends with its client.
TEST_F(HookTest, OfTheOldManifestRunsAndSaysThatItHoldsNothing) {
  const MariaDb database(
      kubectl, {.annotations = {
                    {"backups.example.com.pre-hook", R"(mysql -e "FLUSH TABLES WITH READ LOCK")"},
                    {"backups.example.com.post-hook", R"(mysql -e "UNLOCK TABLES")"}}});
  StartController();
  Backup("nightly", "applicationRef: mysql");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Crash Succeeded");
  EXPECT_EQ(Text(backup, "/status/consistencyReason"), "SessionLockInOneShotHook");
  EXPECT_EQ(Text(HookEntry(backup, "Pre"), "/exitCode"), "0");
  EXPECT_EQ(Text(HookEntry(backup, "Post"), "/exitCode"), "0");
  EXPECT_TRUE(HasEvent("nightly", "SessionLockInOneShotHook"));
  EXPECT_TRUE(database.Writes());
}

// A client that outlives its hook holds the lock until the post-hook ends it.
TEST_F(HookTest, ThatKeepsItsSessionHoldsARealDatabaseStill) {
  const MariaDb database(
      kubectl,
      {.annotations = Hooked(
           "mkfifo /tmp/hold; "
           "printf 'FLUSH TABLES WITH READ LOCK;\\nSELECT \"held\";\\nsystem cat /tmp/hold\\n' | "
           "setsid mariadb -N -n >/tmp/held 2>&1 & "
           "until grep -q held /tmp/held; do sleep 0.01; done",
           "test ! -p /tmp/hold || timeout 2 sh -c 'echo >/tmp/hold'; rm -f /tmp/hold /tmp/held")});
  StartController();
  Backup("nightly", "applicationRef: mysql");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  const Cut cut = driver().Cuts().at(SnapshotNames(backup).at("data-mysql"));
  const auto micros = [](api::Time time) { return time.time_since_epoch().count(); };
  EXPECT_EQ(database.Sql(fmt::format("SELECT COUNT(*) FROM orders WHERE UNIX_TIMESTAMP(at) * "
                                     "1000000 BETWEEN {} AND {}",
                                     micros(cut.start), micros(cut.end))),
            "0\n");
  EXPECT_TRUE(database.Writes());
  EXPECT_TRUE(database.TablesAgree());
}

}  // namespace
}  // namespace stillpoint::e2e
