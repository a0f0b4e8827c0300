// The controller killed at every single write, before and after it takes effect, for every strategy
// and outcome: in the end the workload runs on the restored data, or everything is as it was, and
// the old data was there all the time.
#include "controllers/restore_names.h"
#include "unit/controllers/restore_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <set>
#include <string>

namespace stillpoint::controllers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Case {
  const char* name;
  WorkloadKind kind;
  api::RestoreStrategy strategy;
  api::RestorePhase want;
  std::function<void(RestoreWorld&)> fault;
  std::function<void(api::VolumeRestore&)> change;
};

void PrintTo(const Case& c, std::ostream* os) {
  *os << c.name;
}

class RestoreCrashTest : public testing::TestWithParam<Case> {
 protected:
  static void Prepare(RestoreWorld& world) {
    if (GetParam().fault) GetParam().fault(world);
    world.Settle();
    world.AddRestore([](api::VolumeRestore& restore) {
      restore.spec.strategy = GetParam().strategy;
      if (GetParam().change) GetParam().change(restore);
    });
  }

  static void ExpectAsBefore(RestoreWorld& world) {
    EXPECT_THAT(world.ClaimNames(), ElementsAre(world.old_claim));
    EXPECT_EQ(world.DataOf(world.old_claim), "old");
    EXPECT_EQ(world.PolicyOf(world.old_claim), "Delete");
    EXPECT_EQ(world.Replicas(), 1);
    EXPECT_THAT(world.DataInUse(), ElementsAre("old"));
    if (GetParam().kind == WorkloadKind::kDeployment) {
      EXPECT_EQ(world.ClaimInTemplate(), world.old_claim);
    }
    const auto claim =
        world.server.Get<api::PersistentVolumeClaim>({RestoreWorld::kNs, world.old_claim});
    EXPECT_EQ(claim.metadata.annotations.at("backups.example.com/schedule"), "@daily");
    EXPECT_FALSE(claim.metadata.labels.contains(restore::kRestoreUidLabel));
    EXPECT_EQ(claim.metadata.labels.at("argocd.argoproj.io/instance"), "shop");
  }

  static void ExpectRestored(RestoreWorld& world) {
    EXPECT_THAT(world.DataInUse(), ElementsAre("backup"));
    EXPECT_EQ(world.Replicas(), 1);
    const bool deletes = world.restore().spec.old_claims == api::DeletionPolicy::kDelete;
    EXPECT_EQ(world.ClaimNames().size(), deletes ? 1U : 2U);
    EXPECT_EQ(world.OldVolumeExists(), !deletes);
    for (const auto& name : world.ClaimNames()) EXPECT_EQ(world.PolicyOf(name), "Delete");
  }

  static void ExpectEnd(RestoreWorld& world) {
    const auto restore = world.restore();
    EXPECT_EQ(restore.status.phase, GetParam().want) << restore.status.failure_message;
    EXPECT_THAT(restore.metadata.finalizers, IsEmpty());
    if (restore.status.phase == api::RestorePhase::kCompleted) return ExpectRestored(world);
    EXPECT_FALSE(world.old_volume_was_lost);
    ExpectAsBefore(world);
  }
};

TEST_P(RestoreCrashTest, EndsWell) {
  RestoreWorld world(GetParam().kind);
  Prepare(world);
  ASSERT_TRUE(world.RunToEnd());
  ExpectEnd(world);
}

TEST_P(RestoreCrashTest, EndsWellWhenKilledAtAnyWrite) {
  int writes = 0;
  {
    RestoreWorld world(GetParam().kind);
    Prepare(world);
    ASSERT_TRUE(world.RunToEnd());
    writes = world.client.writes();
  }
  ASSERT_GT(writes, 4);
  for (const auto when : {MortalClient::When::kBefore, MortalClient::When::kAfter}) {
    for (int write = 1; write <= writes; ++write) {
      SCOPED_TRACE(fmt::format("killed {} write {} of {}",
                               when == MortalClient::When::kBefore ? "before" : "after", write,
                               writes));
      RestoreWorld world(GetParam().kind);
      Prepare(world);
      world.client.KillAt(write, when);
      ASSERT_TRUE(world.RunToEnd());
      ExpectEnd(world);
      if (HasFailure()) return;
    }
  }
}

// Deleted instead of killed, at any write: rolled back, or complete when it was already.
TEST_P(RestoreCrashTest, LeavesNothingHalfDoneWhenDeletedAtAnyWrite) {
  for (int write = 1; write <= 30; ++write) {
    SCOPED_TRACE(fmt::format("deleted at write {}", write));
    RestoreWorld world(GetParam().kind);
    Prepare(world);
    world.client.KillAt(write, MortalClient::When::kAfter);
    world.client.on_kill = [&world] {
      world.server.Remove<api::VolumeRestore>({RestoreWorld::kNs, RestoreWorld::kRestore});
    };
    ASSERT_TRUE(world.RunToEnd());
    if (!world.RestoreIsGone()) break;  // it had ended before this write
    const bool restored = world.DataInUse() == std::set<std::string>{"backup"};
    if (!restored) ExpectAsBefore(world);
    EXPECT_TRUE(restored || !world.old_volume_was_lost);
    if (HasFailure()) return;
  }
}

void BreakRestored(RestoreWorld& world) {
  world.restored_data_is_broken = true;
}
void FailProvisioning(RestoreWorld& world) {
  world.provisioning_fails = true;
}
void BindLate(RestoreWorld& world) {
  world.waits_for_consumer = true;
}
void DeleteOld(api::VolumeRestore& restore) {
  restore.spec.old_claims = api::DeletionPolicy::kDelete;
}

constexpr auto kDeployment = WorkloadKind::kDeployment;
constexpr auto kStatefulSet = WorkloadKind::kStatefulSet;
constexpr auto kRepoint = api::RestoreStrategy::kRepoint;
constexpr auto kReplace = api::RestoreStrategy::kReplace;
constexpr auto kCompleted = api::RestorePhase::kCompleted;
constexpr auto kRolledBack = api::RestorePhase::kRolledBack;

const Case kCases[] = {
    {"Repoint", kDeployment, kRepoint, kCompleted, {}, {}},
    {"RepointBoundByItsPod", kDeployment, kRepoint, kCompleted, BindLate, {}},
    {"RepointAndDeleteOld", kDeployment, kRepoint, kCompleted, {}, DeleteOld},
    {"RepointOntoBrokenData", kDeployment, kRepoint, kRolledBack, BreakRestored, {}},
    {"RepointWithoutVolumes", kDeployment, kRepoint, kRolledBack, FailProvisioning, {}},
    {"Replace", kDeployment, kReplace, kCompleted, {}, {}},
    {"ReplaceAndDeleteOld", kDeployment, kReplace, kCompleted, {}, DeleteOld},
    {"ReplaceOntoBrokenData", kDeployment, kReplace, kRolledBack, BreakRestored, {}},
    {"ReplaceStatefulSet", kStatefulSet, kReplace, kCompleted, {}, {}},
    {"ReplaceStatefulSetBoundByItsPod", kStatefulSet, kReplace, kCompleted, BindLate, {}},
    {"ReplaceStatefulSetOntoBrokenData", kStatefulSet, kReplace, kRolledBack, BreakRestored, {}},
    {"ReplaceStatefulSetWithoutVolumes", kStatefulSet, kReplace, kRolledBack, FailProvisioning, {}},
};

INSTANTIATE_TEST_SUITE_P(Restore, RestoreCrashTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace stillpoint::controllers
