// The world is trusted by every run of the simulator: what it promises about time, faults and death
// is tested here, with programs of a few lines.
#include "sim/world/world.h"

#include "sim/world/faults.h"
#include "unit/sim/small_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stillpoint::sim {
namespace {

using boost::asio::awaitable;
using kube::Verb;
using testing::Contains;
using testing::ElementsAre;
using namespace std::chrono_literals;

std::string Word(const auto& result) {
  return result ? "ok" : api::ToString(result.error().code);
}

// One work with everything in it: a watch, writes, a command that is held. Each step may be taken
// again by the next life.
awaitable<void> Work(Surroundings around, Note note) {
  kube::Client& client = around.client;
  auto watch = co_await client.Watch({.resource = kThings, .ns = "shop"});
  if (!watch) co_return note("watch " + Word(watch));
  const auto created = co_await client.Do(Ask(Verb::kCreate, R"({"metadata":{"name":"a"}})"));
  if (!created && created.error().code != api::Code::kAlreadyExists) {
    co_return note("create " + Word(created));
  }
  if (const auto seen = co_await (*watch)->Next(); !seen) co_return note("event " + Word(seen));
  if (const auto put = co_await client.Do(AskState("freezing")); !put) {
    co_return note("freezing " + Word(put));
  }
  {
    auto session = co_await around.exec.Start(AskExec());
    if (!session) co_return note("exec " + Word(session));
    const auto frozen = co_await (*session)->Next();
    note("first " + Word(frozen));
    co_await around.clock.Sleep(50ms);
    (*session)->CloseStdin();
    const auto end = co_await (*session)->Next();
    note("end " + Word(end));
  }
  if (const auto put = co_await client.Do(AskState("done")); !put) {
    co_return note("done " + Word(put));
  }
  note("finished");
}

constexpr auto kLong = 10min;

std::uint64_t HashOf(std::uint64_t seed) {
  SmallWorld small({.seed = seed});
  small.Start(Work);
  small.world.RunFor(kLong);
  EXPECT_THAT(small.notes, ElementsAre("first ok", "end ok", "finished"));
  return small.world.trace().hash();
}

std::vector<Moment> MomentsOfWork() {
  SmallWorld small;
  small.world.trace().RecordMoments();
  small.Start(Work);
  small.world.RunFor(kLong);
  return small.world.trace().moments();
}

TEST(WorldTest, TheSeedIsTheRun) {
  const auto first = HashOf(7);
  EXPECT_EQ(HashOf(7), first);
  EXPECT_NE(HashOf(8), first);
}

TEST(WorldTest, EventsOfTheClusterDueAtOnceKeepTheirOrder) {
  World world({.seed = 3});
  std::string order;
  for (const char c : std::string("abcdef")) world.After(5ms, [&order, c] { order += c; });
  world.After(1ms, [&order] { order += '0'; });
  world.RunFor(5ms);
  EXPECT_EQ(order, "0abcdef");
}

TEST(WorldTest, ACancelledEventDoesNotRun) {
  World world({});
  bool ran = false;
  const auto event = world.Land(1ms, [&ran] { ran = true; });
  world.Cancel(event);
  EXPECT_FALSE(world.Step());
  EXPECT_FALSE(ran);
  world.Cancel(event);
}

TEST(WorldTest, MomentsAreNamedByWhatHappens) {
  const auto moments = MomentsOfWork();
  EXPECT_GT(moments.size(), 20U);
  EXPECT_THAT(moments, Contains(Moment{1, "effect create things shop/-", 1}));
  EXPECT_THAT(moments, Contains(Moment{1, "answer event things shop/a", 1}));
  EXPECT_THAT(moments, Contains(Moment{1, "send patch things/status shop/a", 2}));
  EXPECT_THAT(moments, Contains(Moment{1, "answer exit pods/exec shop/db-0", 1}));
  EXPECT_THAT(moments, Contains(Moment{1, "effect eof pods/exec shop/db-0", 1}));
}

// Under AddressSanitizer this is the proof that a life may end wherever it waits.
TEST(WorldTest, KilledAtEveryMomentTheNextLifeFinishes) {
  for (const Moment& moment : MomentsOfWork()) {
    SmallWorld small;
    small.world.faults().Set({At(moment, Fault::Effect::kKill)});
    small.Start(Work);
    small.world.RunFor(kLong);
    EXPECT_EQ(small.world.faults().struck().front(), 1U) << moment.point;
    EXPECT_EQ(small.StateOf("a"), "done") << moment.point;
    EXPECT_EQ(small.runtime.started, small.runtime.ended) << moment.point;
    if (small.ends.size() == 2) {
      EXPECT_THAT(small.ends, ElementsAre(Process::End::kKilled, Process::End::kReturned));
    }
  }
}

TEST(WorldTest, EveryOtherFaultAtEveryMomentEndsTheLifeInOrder) {
  for (const Moment& moment : MomentsOfWork()) {
    for (const auto effect : {Fault::Effect::kLose, Fault::Effect::kRefuse, Fault::Effect::kPause,
                              Fault::Effect::kPartition, Fault::Effect::kDelay, Fault::Effect::kLag,
                              Fault::Effect::kDropStreams}) {
      for (const auto code : {api::Code::kTimeout, api::Code::kUnavailable}) {
        SmallWorld small;
        Fault fault = At(moment, effect);
        fault.code = code;
        fault.duration = 20s;
        small.world.faults().Set({fault});
        small.Start(Work);
        small.world.RunFor(kLong);
        // A command whose last frame is swallowed while the stream stays open never seems to end.
        const bool hangs = effect == Fault::Effect::kLose && code == api::Code::kTimeout &&
                           (moment.point.find("pods/exec") != std::string::npos);
        EXPECT_TRUE(hangs || !small.notes.empty()) << Text(fault);
        EXPECT_TRUE(hangs || !small.process->alive()) << Text(fault);
      }
    }
  }
}

TEST(WorldTest, WhatADeadLifeHasSentLandsLater) {
  SmallWorld small;
  small.restarts = false;
  const auto fault = ParseFault("kill life=1 at=send,create,things,*");
  ASSERT_TRUE(fault);
  small.world.faults().Set({*fault});
  api::Time died{};
  api::Time landed{};
  small.world.trace().Listen([&](api::Time at, const Point& point) {
    if (point.verb == "kill") died = at;
    if (point.stage == Stage::kChange && point.verb == "created") landed = at;
  });
  small.Start(Work);
  small.world.RunFor(kLong);
  EXPECT_FALSE(small.process->alive());
  EXPECT_EQ(small.StateOf("a"), "new");
  EXPECT_GT(landed, died);
}

// ---- single faults ----------------------------------------------------------------------------

awaitable<void> Create(Surroundings around, Note note) {
  const auto created =
      co_await around.client.Do(Ask(Verb::kCreate, R"({"metadata":{"name":"a"}})"));
  note(Word(created));
}

awaitable<void> Read(Surroundings around, Note note) {
  const auto got = co_await around.client.Do(Ask(Verb::kList));
  note(Word(got));
}

std::vector<std::string> RunWith(SmallWorld& small, Body body, const std::string& line) {
  auto fault = ParseFault(line);
  EXPECT_TRUE(fault) << line;
  small.world.faults().Set({fault.value_or(Fault{})});
  small.Start(body);
  small.world.RunFor(kLong);
  return small.notes;
}

TEST(WorldFaultTest, ALostAnswerHidesTheEffect) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Create, "lose code=Timeout at=effect,create,*,* nth=1"),
              ElementsAre("Timeout"));
  EXPECT_EQ(small.StateOf("a"), "new");
}

TEST(WorldFaultTest, ALostRequestHasNoEffect) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Create, "lose code=Unavailable at=send,create,*,* nth=1"),
              ElementsAre("Unavailable"));
  EXPECT_EQ(small.StateOf("a"), "absent");
}

TEST(WorldFaultTest, AReadIsTriedAgain) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Read, "lose code=Unavailable at=send,list,*,* nth=1"),
              ElementsAre("ok"));
}

TEST(WorldFaultTest, ARefusalOfTheServerIsAnAnswer) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Create, "refuse code=Conflict at=send,create,*,*"),
              ElementsAre("Conflict"));
  SmallWorld busy;
  EXPECT_THAT(RunWith(busy, Create, "refuse code=TooManyRequests at=send,create,*,* nth=1"),
              ElementsAre("ok"));
}

TEST(WorldFaultTest, WhatAPartitionHoldsUpLandsWhenItHeals) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Create, "partition-api for=30s at=send,create,*,*"),
              ElementsAre("Timeout"));
  EXPECT_EQ(small.StateOf("a"), "new");
  SmallWorld cut;
  EXPECT_THAT(RunWith(cut, Create, "partition-api for-ever at=send,create,*,*"),
              ElementsAre("Timeout"));
  EXPECT_EQ(cut.StateOf("a"), "absent");
}

awaitable<void> Doze(Surroundings around, Note note) {
  const auto before = around.clock.SteadyNow();
  const auto listed = co_await around.client.Do(Ask(Verb::kList));
  EXPECT_TRUE(listed);
  co_await around.clock.Sleep(1s);
  note(std::to_string((around.clock.SteadyNow() - before) / 1s));
}

TEST(WorldFaultTest, APausedLifeSleepsOn) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Doze, "pause for=1m at=answer,list,*,*"), ElementsAre("61"));
}

awaitable<void> Follow(Surroundings around, Note note) {
  auto watch = co_await around.client.Watch({.resource = kThings, .lifetime = 60s});
  const auto created =
      co_await around.client.Do(Ask(Verb::kCreate, R"({"metadata":{"name":"a"}})"));
  EXPECT_TRUE(created);
  const auto before = around.clock.SteadyNow();
  while (true) {
    const auto event = co_await (*watch)->Next();
    note(fmt::format("{} {}", (around.clock.SteadyNow() - before) / 1s, Word(event)));
    if (!event) co_return;
  }
}

TEST(WorldFaultTest, AWatchLagsBreaksOrFallsSilent) {
  SmallWorld lagging;
  EXPECT_THAT(RunWith(lagging, Follow, "lag for=20s life=1 at=effect,watch,things,*"),
              ElementsAre("19 ok", "59 Unavailable"));
  SmallWorld broken;
  EXPECT_THAT(RunWith(broken, Follow, "lose code=Expired at=answer,event,things,shop/a"),
              ElementsAre("0 Expired"));
  SmallWorld silent;
  EXPECT_THAT(RunWith(silent, Follow, "lose code=Timeout at=answer,event,things,shop/a"),
              ElementsAre("89 Timeout"));
}

// What a list from the watch cache and a fresh one show, and when a watch from the old one goes on.
awaitable<void> Look(Surroundings around, Note note) {
  const auto began = around.clock.SteadyNow();
  kube::Request ask = Ask(Verb::kList);
  const auto fresh = co_await around.client.Do(ask);
  ask.resource_version = "0";
  const auto old = co_await around.client.Do(ask);
  EXPECT_TRUE(fresh && old);
  note(fmt::format("{} {}", (*fresh)->at("items").as_array().size(),
                   (*old)->at("items").as_array().size()));
  auto watch = co_await around.client.Watch(
      {.resource = kThings,
       .resource_version = (*old)->at("metadata").at("resourceVersion").as_string().c_str()});
  EXPECT_TRUE(watch);
  const auto event = co_await (*watch)->Next();
  note(fmt::format("{} {}", (around.clock.SteadyNow() - began) / 1s, Word(event)));
}

// The life that looks was not born when the lag began.
TEST(WorldFaultTest, ACacheThatLagsServesOldListsToWhoComesLater) {
  SmallWorld small;
  const auto fault = ParseFault("lag for=20s at=change,created,things,* nth=1");
  ASSERT_TRUE(fault);
  small.world.faults().Set({*fault});
  for (const char* name : {"a", "b"}) {
    small.server.objects().Put(kThings, {{"metadata", {{"namespace", "shop"}, {"name", name}}}});
  }
  small.Start(Look);
  small.world.RunFor(kLong);
  EXPECT_THAT(small.notes, ElementsAre("2 1", "20 ok"));
}

TEST(WorldFaultTest, AStateCanBeTheTrigger) {
  SmallWorld small;
  RunWith(small, Work, R"(kill life=1 at=change,updated,things,* with="state":"freezing")");
  EXPECT_THAT(small.ends, ElementsAre(Process::End::kKilled, Process::End::kReturned));
  EXPECT_EQ(small.StateOf("a"), "done");
}

TEST(WorldFaultTest, ALostStreamEndsTheCommandsInputLater) {
  SmallWorld small;
  EXPECT_THAT(RunWith(small, Work, "lose code=Unavailable at=answer,stdout,pods/exec,*"),
              ElementsAre("first Unavailable", "end Unavailable", "finished"));
  EXPECT_EQ(small.runtime.ended, 1);
}

TEST(WorldFaultTest, AtSettleOnlyWhatIsForEverGoesOn) {
  for (const bool for_ever : {false, true}) {
    SmallWorld small;
    small.world.faults().Set({Fault{.effect = Fault::Effect::kRefuse,
                                    .code = api::Code::kForbidden,
                                    .verb = "create",
                                    .for_ever = for_ever}});
    small.world.Settle();
    small.Start(Create);
    small.world.RunFor(kLong);
    EXPECT_THAT(small.notes, ElementsAre(for_ever ? "Forbidden" : "ok"));
  }
}

awaitable<void> TellTime(Surroundings around, Note note) {
  note(std::to_string(around.clock.Now().time_since_epoch() / 1s));
  co_return;
}

TEST(WorldFaultTest, AWallClockMayBeWrong) {
  SmallWorld small;
  small.Start(TellTime, {.wall_clock_skew = -5s});
  small.world.RunFor(kLong);
  EXPECT_THAT(small.notes,
              ElementsAre(std::to_string(small.world.start().time_since_epoch() / 1s - 5)));
}

TEST(FaultTextTest, WhatIsWrittenIsReadBack) {
  for (const std::string line :
       {"kill at=*,*,*,*", "pause for=1m30s at=effect,patch,*,* one-in=50",
        "lose code=Timeout for-ever life=2 at=send,patch,volumebackups/status,shop/a nth=3",
        R"(lag for=20s at=effect,watch,things,* with="a b": {)"}) {
    const auto fault = ParseFault(line);
    ASSERT_TRUE(fault) << line;
    EXPECT_EQ(Text(*fault), line);
  }
}

TEST(FaultTextTest, WhatMakesNoSenseIsRefused) {
  for (const std::string line : {"", "explode at=*,*,*,*", "kill at=send", "kill nth=x",
                                 "kill one-in=0", "kill sometimes", "lose code=Odd"}) {
    EXPECT_FALSE(ParseFault(line)) << line;
  }
}

}  // namespace
}  // namespace stillpoint::sim
