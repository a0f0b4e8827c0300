#include "e2e/support/backup_fixture.h"

#include "e2e/support/json.h"
#include "e2e/support/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace stillpoint::e2e {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// The record of the writer is cut after 10 ms.
constexpr milliseconds kTick{10};

bool Covers(const std::vector<Stillness>& times, const Cut& cut) {
  return std::ranges::any_of(times, [&](const Stillness& still) {
    return still.from <= cut.start && (!still.until || *still.until + kTick >= cut.end);
  });
}

}  // namespace

void BackupTest::SetUp() {
  if (!IsLocal()) return;
  ClusterTest::SetUp();
}

void BackupTest::Backup(const std::string& name, const std::string& spec) {
  static_cast<void>(backups());  // so that no phase is missed
  kubectl.Apply(
      fmt::format("apiVersion: backups.example.com/v1alpha1\nkind: VolumeBackup\n"
                  "metadata: {{name: {}}}\nspec:\n{}",
                  name, Indent(spec, 2)));
}

void BackupTest::Patch(const std::string& name, const std::string& spec_json) {
  const CommandResult result = kubectl({"patch", "volumebackup", name, "--type=merge", "-p",
                                        fmt::format(R"({{"spec":{}}})", spec_json)});
  if (result.exit_code != 0) throw std::runtime_error(result.err);
}

boost::json::value BackupTest::WaitPhase(const std::string& name, const std::string& phase,
                                         Seconds timeout) {
  const auto reached = [&](const boost::json::value& backup) {
    return Text(backup, "/status/phase") == phase;
  };
  if (!backups().Until(name, reached, timeout)) {
    throw std::runtime_error(fmt::format("{} is not {} after {} s: {}", name, phase,
                                         timeout.count(), Outcome(backups().Latest(name))));
  }
  return backups().Latest(name);
}

boost::json::value BackupTest::WaitEnd(const std::string& name, Seconds timeout) {
  const auto ended = [&](const boost::json::value& backup) {
    return Text(Condition(backup, "Finished"), "/status") == "True";
  };
  if (!backups().Until(name, ended, timeout)) {
    throw std::runtime_error(fmt::format("{} has not ended after {} s: {}", name, timeout.count(),
                                         Outcome(backups().Latest(name))));
  }
  return backups().Latest(name);
}

void BackupTest::WaitGone(const std::string& name, Seconds timeout) {
  const auto gone = [](const boost::json::value& backup) { return backup.is_null(); };
  if (!backups().Until(name, gone, timeout)) {
    throw std::runtime_error(fmt::format("{} is still there after {} s: {}", name, timeout.count(),
                                         Outcome(backups().Latest(name))));
  }
}

std::string BackupTest::Outcome(const boost::json::value& backup) {
  if (backup.is_null()) return "not there";
  const std::string consistency = Text(backup, "/status/consistency");
  return fmt::format("{} {} {}", Text(backup, "/status/phase"),
                     consistency.empty() ? "-" : consistency, Text(backup, "/status/reason"));
}

std::string BackupTest::Words(const boost::json::value& backup) {
  return Text(Condition(backup, "Finished"), "/message");
}

std::map<std::string, std::string> BackupTest::SnapshotNames(const boost::json::value& backup) {
  std::map<std::string, std::string> names;
  for (const auto& volume : List(backup, "/status/volumes")) {
    names[Text(volume, "/claim")] = Text(volume, "/snapshotName");
  }
  return names;
}

void BackupTest::ExpectCutWhileStill(const StillApp& app, const boost::json::value& backup) {
  const std::map<std::string, Cut> cuts = driver().Cuts();
  std::map<std::string, std::set<int>> last_lines;  // of each pod: over all snapshots
  for (const auto& [claim, snapshot] : SnapshotNames(backup)) {
    ASSERT_TRUE(cuts.contains(snapshot)) << "the driver knows no snapshot " << snapshot;
    const Cut& cut = cuts.at(snapshot);
    EXPECT_EQ(cut.claim, claim);
    for (const std::string& pod : app.Pods()) {
      EXPECT_TRUE(Covers(app.StoodStill(pod), cut))
          << claim << " was cut while " << pod << " wrote";
    }
    for (const auto& [pod, line] : StillApp::LastLines(driver().Contents(cut))) {
      last_lines[pod].insert(line);
    }
  }
  for (const std::string& pod : app.Pods()) {
    EXPECT_EQ(last_lines[pod].size(), 1U) << pod << "'s volumes are from different instants";
  }
}

void BackupTest::ExpectNeverStillLongerThan(const StillApp& app, milliseconds limit) {
  EXPECT_FALSE(app.IsFrozen());
  for (const std::string& pod : app.Pods()) {
    for (const Stillness& still : app.StoodStill(pod)) {
      ASSERT_TRUE(still.until) << pod << " is frozen";
      EXPECT_LE(duration_cast<milliseconds>(*still.until - still.from).count(), limit.count())
          << "ms: " << pod << " stood still";
    }
  }
}

void BackupTest::RecordFreeze(const StillApp& app, const boost::json::value& backup) {
  const std::map<std::string, Cut> cuts = driver().Cuts();
  api::Time last_cut{};
  for (const auto& [claim, snapshot] : SnapshotNames(backup)) {
    last_cut = std::max(last_cut, cuts.at(snapshot).end);
  }
  for (const Stillness& still : app.StoodStill(app.Pods().at(0))) {
    if (!still.until || last_cut < still.from || last_cut > *still.until + kTick) continue;
    const auto frozen = duration_cast<milliseconds>(*still.until - still.from).count();
    const auto cut = duration_cast<milliseconds>(last_cut - still.from).count();
    fmt::print("[  freeze  ] claims: {}, still for {} ms, the last cut after {} ms\n",
               SnapshotNames(backup).size(), frozen, cut);
    RecordProperty("frozen_ms", std::to_string(frozen));
    RecordProperty("last_cut_ms", std::to_string(cut));
  }
}

void BackupTest::ExpectNoSnapshots() {
  const auto going = [&] {
    return std::ranges::all_of(List(kubectl.Get("volumesnapshots"), "/items"),
                               [](const auto& snapshot) {
                                 return !Text(snapshot, "/metadata/deletionTimestamp").empty();
                               });
  };
  EXPECT_TRUE(Eventually(going, Seconds(10))) << kubectl({"get", "volumesnapshots"}).out;
}

}  // namespace stillpoint::e2e
