// The controller killed at every single write of a restore, which then lands when the next life is
// at work or had landed before, for every strategy and outcome: in the end the workload runs on the
// restored data, or everything is as it was, and the old data was there all the time.
#include "controllers/restore_names.h"
#include "unit/controllers/restore_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/object.hpp>

#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace stillpoint::controllers {
namespace {

using sim::Fault;
using sim::Moment;
using sim::run::WorkloadKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Case {
  const char* name;
  RestoreWorldOptions world;
  const char* strategy;
  api::RestorePhase want;
  bool deletes_old = false;
};

void PrintTo(const Case& c, std::ostream* os) {
  *os << c.name;
}

bool IsWrite(const Fault& at) {
  const bool writes = at.verb == "create" || at.verb == "patch" || at.verb == "delete";
  return writes && at.resource != "events";
}

// What becomes of a write whose sender is killed.
enum class Write { kLandsLater, kHasLanded };

// A kill at each write of a run.
std::vector<Fault> KillsAtWrites(const std::vector<Moment>& moments, Write write) {
  const auto stage = write == Write::kLandsLater ? sim::Stage::kSend : sim::Stage::kEffect;
  std::vector<Fault> kills;
  for (const Moment& moment : moments) {
    const Fault kill = sim::At(moment, Fault::Effect::kKill);
    if (sim::IsAt(moment, stage) && IsWrite(kill)) kills.push_back(kill);
  }
  return kills;
}

class RestoreCrashTest : public testing::TestWithParam<Case> {
 protected:
  static void Begin(RestoreWorld& world, const std::vector<Fault>& faults = {}) {
    boost::json::object spec{{"strategy", GetParam().strategy}};
    if (GetParam().deletes_old) spec["oldClaims"] = "Delete";
    world.Restore(std::move(spec), faults);
  }

  static std::vector<Moment> DryRun() {
    RestoreWorld world(GetParam().world);
    Begin(world);
    EXPECT_TRUE(world.RunToEnd());
    return world.moments();
  }

  static void ExpectAsBefore(RestoreWorld& world) {
    ASSERT_THAT(world.ClaimNames(), ElementsAre(world.old_claim()));
    EXPECT_EQ(world.DataOf(world.old_claim()), "old");
    EXPECT_EQ(world.PolicyOf(world.old_claim()), "Delete");
    EXPECT_EQ(world.Replicas(), 1);
    EXPECT_THAT(world.DataInUse(), ElementsAre("old"));
    if (GetParam().world.kind == WorkloadKind::kDeployment) {
      EXPECT_EQ(world.ClaimInTemplate(), world.old_claim());
    }
    const auto claim = world.Claim(world.old_claim());
    EXPECT_EQ(claim.metadata.annotations.at("backups.example.com/schedule"), "@daily");
    EXPECT_FALSE(claim.metadata.labels.contains(restore::kRestoreUidLabel));
    EXPECT_EQ(claim.metadata.labels.at("argocd.argoproj.io/instance"), "shop");
  }

  static void ExpectRestored(RestoreWorld& world) {
    EXPECT_THAT(world.DataInUse(), ElementsAre("backup"));
    EXPECT_EQ(world.Replicas(), 1);
    EXPECT_THAT(world.ClaimNames(), SizeIs(GetParam().deletes_old ? 1 : 2));
    EXPECT_EQ(world.OldVolumeExists(), !GetParam().deletes_old);
    for (const auto& name : world.ClaimNames()) EXPECT_EQ(world.PolicyOf(name), "Delete");
  }

  static void ExpectEnd(RestoreWorld& world) {
    const auto restore = world.restore();
    EXPECT_EQ(restore.status.phase, GetParam().want) << restore.status.failure_message;
    EXPECT_THAT(restore.metadata.finalizers, IsEmpty());
    if (restore.status.phase == api::RestorePhase::kCompleted) return ExpectRestored(world);
    EXPECT_TRUE(world.OldVolumeExists());
    ExpectAsBefore(world);
  }

  static void ExpectToEndWellWhenKilled(Write write) {
    const auto kills = KillsAtWrites(DryRun(), write);
    ASSERT_GT(kills.size(), 4U);
    for (const Fault& kill : kills) {
      SCOPED_TRACE(sim::Text(kill));
      RestoreWorld world(GetParam().world);
      Begin(world, {kill});
      ASSERT_TRUE(world.RunToEnd());
      EXPECT_TRUE(world.FaultStruck());
      ExpectEnd(world);
      if (HasFailure()) return;
    }
  }
};

TEST_P(RestoreCrashTest, EndsWell) {
  RestoreWorld world(GetParam().world);
  Begin(world);
  ASSERT_TRUE(world.RunToEnd());
  ExpectEnd(world);
}

TEST_P(RestoreCrashTest, EndsWellWhenKilledWithAnyWriteOnItsWay) {
  ExpectToEndWellWhenKilled(Write::kLandsLater);
}

TEST_P(RestoreCrashTest, EndsWellWhenKilledAfterAnyWrite) {
  ExpectToEndWellWhenKilled(Write::kHasLanded);
}

// Deleted while the controller is killed, at any write: rolled back, or complete when it was
// already.
TEST_P(RestoreCrashTest, LeavesNothingHalfDoneWhenDeletedAtAnyWrite) {
  for (const Fault& kill : KillsAtWrites(DryRun(), Write::kHasLanded)) {
    SCOPED_TRACE(sim::Text(kill));
    RestoreWorld world(GetParam().world);
    Begin(world, {kill});
    ASSERT_TRUE(world.RunToEndDeletingWhenStruck());
    ASSERT_TRUE(world.RestoreIsGone());
    const bool restored = world.DataInUse() == std::set<std::string>{"backup"};
    if (!restored) ExpectAsBefore(world);
    EXPECT_TRUE(restored || world.OldVolumeExists());
    if (HasFailure()) return;
  }
}

constexpr auto kDeployment = WorkloadKind::kDeployment;
constexpr auto kStatefulSet = WorkloadKind::kStatefulSet;
constexpr auto kCompleted = api::RestorePhase::kCompleted;
constexpr auto kRolledBack = api::RestorePhase::kRolledBack;

constexpr RestoreWorldOptions kBound{.kind = kDeployment};
constexpr RestoreWorldOptions kLate{.kind = kDeployment, .late_binding = true};
constexpr RestoreWorldOptions kBroken{.kind = kDeployment, .restored_data_is_broken = true};
constexpr RestoreWorldOptions kWithout{.kind = kDeployment, .provisioning_fails = true};
constexpr RestoreWorldOptions kSet{.kind = kStatefulSet};
constexpr RestoreWorldOptions kLateSet{.kind = kStatefulSet, .late_binding = true};
constexpr RestoreWorldOptions kBrokenSet{.kind = kStatefulSet, .restored_data_is_broken = true};
constexpr RestoreWorldOptions kWithoutSet{.kind = kStatefulSet, .provisioning_fails = true};

const Case kCases[] = {
    {"Repoint", kBound, "Repoint", kCompleted},
    {"RepointBoundByItsPod", kLate, "Repoint", kCompleted},
    {"RepointAndDeleteOld", kBound, "Repoint", kCompleted, true},
    {"RepointOntoBrokenData", kBroken, "Repoint", kRolledBack},
    {"RepointWithoutVolumes", kWithout, "Repoint", kRolledBack},
    {"Replace", kBound, "Replace", kCompleted},
    {"ReplaceAndDeleteOld", kBound, "Replace", kCompleted, true},
    {"ReplaceOntoBrokenData", kBroken, "Replace", kRolledBack},
    {"ReplaceStatefulSet", kSet, "Replace", kCompleted},
    {"ReplaceStatefulSetBoundByItsPod", kLateSet, "Replace", kCompleted},
    {"ReplaceStatefulSetOntoBrokenData", kBrokenSet, "Replace", kRolledBack},
    {"ReplaceStatefulSetWithoutVolumes", kWithoutSet, "Replace", kRolledBack},
};

INSTANTIATE_TEST_SUITE_P(Restore, RestoreCrashTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace stillpoint::controllers
