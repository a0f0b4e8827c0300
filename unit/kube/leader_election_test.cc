#include "kube/leader_election.h"

#include "kube/task_group.h"
#include "unit/support/fake_api_server.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using api::Code;
using api::Lease;
using testing::ElementsAre;
using testing::HasSubstr;

const api::NamespacedName kLease{"stillpoint-system", "stillpoint"};
const api::Error kDown{Code::kUnavailable, "connection refused"};

// One process with a clock and a loop of its own, so that it alone can be paused.
struct Candidate {
  Candidate(Client& client, const std::string& identity)
      : elector(client, clock, [this](Severity, std::string_view line) { log.emplace_back(line); },
                {.lease = kLease, .identity = identity},
                {.on_started = [this] { calls.emplace_back("started"); },
                 .on_stopped = [this] { calls.emplace_back("stopped"); }}) {
    tasks.Spawn("elector", elector.Run());
    clock.Settle();
  }
  ~Candidate() { io.reset(); }
  Candidate(const Candidate&) = delete;

  void Stop() { clock.Run(tasks.Stop()); }
  [[nodiscard]] bool HasReturned() const { return tasks.size() == 0; }

  std::optional<asio::io_context> io{std::in_place, 1};
  unit::FakeClock clock{*io};
  std::vector<std::string> log;
  std::vector<std::string> calls;
  LeaderElector elector;
  TaskGroup tasks{io->get_executor(), [](Severity, std::string_view) {}};
};

class LeaderElectionTest : public testing::Test {
 protected:
  void Start() {
    a_ = std::make_unique<Candidate>(server_, "a");
    b_ = std::make_unique<Candidate>(server_, "b");
  }

  // Both live on, in small steps of one after the other.
  void Advance(std::chrono::milliseconds duration) {
    for (auto passed = 0ms; passed < duration; passed += 100ms) {
      a_->clock.Advance(100ms);
      b_->clock.Advance(100ms);
      EXPECT_FALSE(a_->elector.MayAct() && b_->elector.MayAct()) << "two leaders act";
    }
  }

  api::LeaseSpec Spec() { return server_.Get<Lease>(kLease).spec; }

  asio::io_context io_{1};
  unit::FakeClock server_clock_{io_};
  unit::FakeApiServer server_{server_clock_};
  std::unique_ptr<Candidate> a_;
  std::unique_ptr<Candidate> b_;
};

TEST_F(LeaderElectionTest, FirstCreatesTheLeaseAndLeads) {
  Start();
  EXPECT_TRUE(a_->elector.IsLeader());
  EXPECT_TRUE(a_->elector.MayAct());
  EXPECT_THAT(a_->calls, ElementsAre("started"));
  EXPECT_FALSE(b_->elector.IsLeader());
  EXPECT_TRUE(b_->elector.LeaseKnown());
  EXPECT_EQ(b_->elector.Holder(), "a");
  EXPECT_EQ(Spec().holder_identity, "a");
  EXPECT_EQ(Spec().lease_duration_seconds, 15);
  EXPECT_EQ(Spec().lease_transitions, 0);
}

TEST_F(LeaderElectionTest, LeaderRenewsAndKeepsTheLead) {
  Start();
  const auto acquired = Spec().acquire_time;
  Advance(60s);
  EXPECT_TRUE(a_->elector.MayAct());
  EXPECT_FALSE(b_->elector.IsLeader());
  EXPECT_EQ(Spec().acquire_time, acquired);
  EXPECT_GT(Spec().renew_time, acquired);
  EXPECT_GT(server_.Count(Verb::kGet, "leases"), 15) << "the other one looks on";
}

TEST_F(LeaderElectionTest, PausedLeaderMayNotActAndLosesItsLead) {
  Start();
  for (auto passed = 0s; passed < 20s; passed += 1s) b_->clock.Advance(1s);
  EXPECT_TRUE(b_->elector.IsLeader());
  EXPECT_EQ(Spec().lease_transitions, 1);
  a_->clock.Freeze(20s);
  EXPECT_FALSE(a_->elector.MayAct()) << "at once, before any timer has run";
  EXPECT_TRUE(a_->elector.IsLeader());
  a_->clock.Settle();
  Advance(1s);
  EXPECT_FALSE(a_->elector.IsLeader());
  EXPECT_THAT(a_->calls, ElementsAre("started", "stopped"));
  EXPECT_TRUE(a_->HasReturned());
  EXPECT_TRUE(b_->elector.MayAct());
}

TEST_F(LeaderElectionTest, PauseOfAnyLengthNeverMakesTwo) {
  for (const auto pause : {3s, 9s, 14s, 21s}) {
    server_.Remove<Lease>(kLease);
    Start();
    Advance(5s);
    for (auto passed = 0s; passed < pause; passed += 1s) b_->clock.Advance(1s);
    a_->clock.Freeze(pause);
    EXPECT_FALSE(a_->elector.MayAct() && b_->elector.MayAct()) << pause.count();
    Advance(30s);
    EXPECT_TRUE(a_->elector.MayAct() != b_->elector.MayAct()) << pause.count();
  }
}

TEST_F(LeaderElectionTest, ShortOutageIsSurvived) {
  Start();
  for (int i = 0; i < 3; ++i) server_.FailNext(Verb::kMergePatch, "leases", kDown);
  Advance(7s);
  EXPECT_TRUE(a_->elector.MayAct());
  EXPECT_THAT(a_->log, testing::Contains(HasSubstr("connection refused")).Times(1));
  Advance(30s);
  EXPECT_TRUE(a_->elector.MayAct());
  EXPECT_EQ(Spec().lease_transitions, 0);
}

TEST_F(LeaderElectionTest, LongOutageEndsTheLeadBeforeTheLeaseEnds) {
  Start();
  server_.Forbid("patch", "leases");
  Advance(9s);
  EXPECT_TRUE(a_->elector.IsLeader());
  Advance(2s);
  EXPECT_FALSE(a_->elector.IsLeader());
  EXPECT_THAT(a_->calls, ElementsAre("started", "stopped"));
  EXPECT_FALSE(b_->elector.IsLeader());
  server_.Allow("patch", "leases");
  Advance(20s);
  EXPECT_TRUE(b_->elector.IsLeader());
}

TEST_F(LeaderElectionTest, LostAnswerToARenewalIsNoLoss) {
  Start();
  server_.FailNext(Verb::kMergePatch, "leases", kDown, unit::FakeApiServer::When::kAfterEffect);
  Advance(30s);
  EXPECT_TRUE(a_->elector.MayAct());
  EXPECT_EQ(Spec().lease_transitions, 0);
}

TEST_F(LeaderElectionTest, LostAnswerToTheCreationIsFoundAgain) {
  server_.FailNext(Verb::kCreate, "leases", kDown, unit::FakeApiServer::When::kAfterEffect);
  Start();
  EXPECT_FALSE(a_->elector.IsLeader());
  Advance(5s);
  EXPECT_TRUE(a_->elector.IsLeader());
}

TEST_F(LeaderElectionTest, WallClocksDoNotMatter) {
  Start();
  b_->clock.JumpWall(24h);
  Advance(30s);
  EXPECT_TRUE(a_->elector.MayAct()) << "to b the lease looks a day old, but it changes";
  b_->clock.JumpWall(-48h);
  Advance(30s);
  EXPECT_TRUE(a_->elector.MayAct());
  a_->clock.JumpWall(-1h);
  EXPECT_TRUE(a_->elector.MayAct());
  a_->clock.JumpWall(3h);
  EXPECT_FALSE(a_->elector.MayAct()) << "as after a suspended machine: safe until the next renewal";
  Advance(3s);
  EXPECT_TRUE(a_->elector.MayAct());
}

TEST_F(LeaderElectionTest, CancelledLeaderReleasesTheLease) {
  Start();
  a_->Stop();
  EXPECT_THAT(a_->calls, ElementsAre("started", "stopped"));
  EXPECT_EQ(Spec().holder_identity, "");
  Advance(5s);
  EXPECT_TRUE(b_->elector.MayAct()) << "without waiting for the lease to end";
}

TEST_F(LeaderElectionTest, CancelledCandidateLeavesTheLeaseAlone) {
  Start();
  b_->Stop();
  EXPECT_TRUE(b_->HasReturned());
  EXPECT_EQ(Spec().holder_identity, "a");
}

TEST_F(LeaderElectionTest, KilledLeaderIsReplacedAfterItsLease) {
  Start();
  Advance(5s);
  a_->io.reset();  // kill -9
  int seconds = 0;
  while (!b_->elector.IsLeader() && seconds < 60) {
    b_->clock.Advance(1s);
    ++seconds;
  }
  EXPECT_GE(seconds, 13);
  EXPECT_LE(seconds, 20);
}

TEST_F(LeaderElectionTest, DeletedLeaseIsMadeAgainByItsLeader) {
  Start();
  server_.Remove<Lease>(kLease);
  a_->clock.Advance(2s);
  EXPECT_TRUE(a_->elector.MayAct());
  EXPECT_EQ(Spec().holder_identity, "a");
}

TEST_F(LeaderElectionTest, TakenLeaseEndsTheLeadAtOnce) {
  Start();
  server_.Change<Lease>(kLease, [](Lease& lease) { lease.spec.holder_identity = "c"; });
  Advance(3s);
  EXPECT_FALSE(a_->elector.IsLeader());
  EXPECT_THAT(a_->log, testing::Contains(HasSubstr("the lead is lost to c")));
}

TEST_F(LeaderElectionTest, ForeignLeaseDurationIsRespected) {
  Lease lease;
  lease.metadata.name = kLease.name;
  lease.metadata.ns = kLease.ns;
  lease.spec.holder_identity = "other";
  lease.spec.lease_duration_seconds = 40;
  server_.Put(lease);
  Start();
  Advance(38s);
  EXPECT_FALSE(a_->elector.IsLeader() || b_->elector.IsLeader());
  Advance(10s);
  EXPECT_TRUE(a_->elector.IsLeader() || b_->elector.IsLeader());
}

TEST(LeaderIdentityTest, NamesHostAndLife) {
  Random random(1);
  const std::string first = LeaderIdentity("node-7", random);
  EXPECT_THAT(first, testing::MatchesRegex("node-7_[0-9a-f]+"));
  EXPECT_EQ(first.size(), 7u + 16);
  EXPECT_NE(first, LeaderIdentity("node-7", random));
}

}  // namespace
}  // namespace stillpoint::kube
