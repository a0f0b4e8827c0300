#include "sim/run/run.h"

#include "sim/cluster/api_server.h"
#include "sim/cluster/fields.h"
#include "sim/cluster/sim_cluster.h"
#include "sim/run/breakage.h"
#include "sim/run/counts.h"
#include "sim/run/cuts.h"
#include "sim/run/dice.h"
#include "sim/run/evidence.h"
#include "sim/run/lives.h"
#include "sim/run/no_back_doors.h"
#include "sim/run/node_runtime.h"
#include "sim/run/operations.h"
#include "sim/run/outages.h"
#include "sim/run/run_memory.h"
#include "sim/run/takeover.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, 2> kOurKinds{"volumebackups", "volumerestores"};

// Longer than every time-out of the product and the cluster together that may pass in silence:
// readyTimeout, and before it the cuts of many snapshots behind one another.
constexpr auto kPatience = 1h;

// Longer than the longest back-off of a reflector.
constexpr auto kPause = 35s;

// Longer than the product and the API server let any watch last.
constexpr auto kWatchLifetime = 10min;

// Who writes and writes and comes to no end makes no progress either.
constexpr auto kLongestSettling = 6h;

// More events than that between two changes of our objects: somebody turns in a circle.
constexpr std::uint64_t kMostEventsWithoutProgress = 1'000'000;

WorldOptions OptionsOf(const Scenario& scenario) {
  return {.seed = scenario.seed, .fifo = scenario.knobs.first_in_first_out};
}

ClusterKnobs ClusterOf(const Knobs& knobs) {
  ClusterKnobs cluster;
  cluster.snapshots.qps = static_cast<double>(knobs.snapshotter_qps) / 1000;
  cluster.node.pod_start = knobs.pod_start;
  return cluster;
}

NetworkKnobs NetworkOf(const Knobs& knobs) {
  NetworkKnobs network;
  network.request.most = std::max<World::Duration>(network.request.least, knobs.api_delay);
  network.watch.most = std::max<World::Duration>(network.watch.least, knobs.watch_delay);
  network.zombie.most = knobs.late;
  return network;
}

// From one attempt of a thaw to the next, where the node has been out of reach for long.
constexpr auto kLongestThawBackOff = 10s;

class Run {
 public:
  Run(const Scenario& scenario, const RunOptions& options)
      : scenario_(scenario),
        world_(OptionsOf(scenario)),
        api_([this] { return world_.Now(); }, &memory_),
        witness_(api_.objects(), world_),
        cluster_(api_, world_, ClusterOf(scenario.knobs)),
        node_(cluster_.runtime(), cluster_.kubelet()),
        network_(world_, api_, node_, NetworkOf(scenario.knobs)),
        breakage_(world_, cluster_, scenario.knobs),
        operations_(api_, world_, breakage_, scenario),
        outages_(world_, scenario.knobs),
        lives_(world_, network_, scenario.knobs, options.logs ? options.follow : Follow()) {
    cluster_.runtime().on_probe = [this](const PodSandbox& sandbox) { return ProbeOf(sandbox); };
    if (options.moments) world_.trace().RecordMoments();
    if (options.follow) {
      world_.trace().Listen([this, follow = options.follow](api::Time at, const Point& point) {
        follow(Line(world_.start(), at, point), world_.trace().hash());
      });
    }
    api_.objects().OnChange([this](const api::Resource& resource, const Change&) {
      if (std::ranges::find(kOurKinds, resource.plural) != kOurKinds.end()) {
        progress_at_ = world_.Now();
        progress_steps_ = world_.steps();
      }
    });
  }

  RunOutcome Carry() {
    Install();
    if (report_.violations().empty()) Chaos();
    if (report_.violations().empty()) Settle();
    if (report_.violations().empty()) Judge();
    return Outcome();
  }

 private:
  // As the workload of this pod has it.
  [[nodiscard]] milliseconds ProbeOf(const PodSandbox& sandbox) const {
    const auto of =
        std::ranges::find(scenario_.applications, Text(sandbox.pod, {"metadata", "labels", "app"}),
                          &Application::name);
    return of == scenario_.applications.end() ? 0ms : milliseconds(of->probe);
  }

  void Complain(Invariant invariant, std::string what) {
    const auto at = std::chrono::duration_cast<milliseconds>(world_.Now() - began_);
    report_.Violates(invariant, at, std::move(what));
  }

  // ---- the phases -------------------------------------------------------------------------------

  void Install() {
    operations_.Install();
    for (const api::Time end = world_.Now() + 1h; !operations_.Ready() && world_.Now() < end;) {
      world_.RunFor(500ms);
    }
    if (!operations_.Ready()) Complain(Invariant::kCrash, "the applications never came up");
    began_ = world_.Now();
  }

  void Chaos() {
    world_.faults().Set(scenario_.faults);
    world_.SetObserver([this] { outages_.Look(); });
    lives_.Start();
    milliseconds last = 0ms;
    for (const Operation& operation : scenario_.operations) {
      world_.After(operation.at, [this, &operation] { operations_.Do(operation); });
      last = std::max(last, operation.at);
    }
    (void)Go(began_ + last + 1ms);
    // One more minute for the faults to strike at what the last operation began.
    (void)Go(std::max(world_.Now() + 60s, breakage_.healed_at()));
    chaos_ended_ = world_.Now();
    world_.trace().StopRecording();  // no fault strikes from now on
    world_.Settle();
  }

  // False: it goes in circles.
  bool Go(api::Time end) {
    const std::uint64_t first = std::max(progress_steps_, world_.steps());
    while (world_.Now() < end) {
      const std::uint64_t before = world_.steps();
      world_.RunUntil(std::min(end, world_.Now() + 1s));
      if (lives_.threw() > 0) {
        Complain(Invariant::kCrash, "a controller ended by an exception");
        return false;
      }
      if (world_.steps() == before) continue;
      if (world_.steps() - std::max(first, progress_steps_) > kMostEventsWithoutProgress) {
        Complain(Invariant::kLivelock, fmt::format("{} events, and nothing of ours has changed",
                                                   kMostEventsWithoutProgress));
        return false;
      }
    }
    report_.Tested(Invariant::kLivelock);
    return true;
  }

  void Settle() {
    progress_at_ = std::max(progress_at_, world_.Now());
    const api::Time end = world_.Now() + kLongestSettling;
    while (world_.Now() < std::min(end, progress_at_ + kPatience) && !AtRest()) {
      if (!Go(world_.Now() + 5s)) return;
    }
    ended_ = world_.Now();
    (void)Go(ended_ + QuietTime());
    // A ttl may have run out a moment ago.
    const api::Time last = world_.Now() + 1min;
    while (world_.Now() < last && SomethingGoes() && Go(world_.Now() + 5s)) {
    }
  }

  [[nodiscard]] bool SomethingGoes() const {
    return std::ranges::any_of(kOurKinds, [this](std::string_view kind) {
      return std::ranges::any_of(witness_.Of(kind), [](const ObjectLife& object) {
        return !object.gone() && IsTerminating(object.last());
      });
    });
  }

  // Everything has come to its end, and has been quiet for a while.
  [[nodiscard]] bool AtRest() {
    api::Time quiet_since = std::max(progress_at_, chaos_ended_);
    // Whoever comes in the place of one that died has yet to do what that one left.
    for (const Period& gap : lives_.gaps()) quiet_since = std::max(quiet_since, gap.to);
    if (world_.Now() < quiet_since + kPause + 2 * scenario_.knobs.watch_delay) return false;
    if (NewsWasLost() && world_.Now() < chaos_ended_ + kWatchLifetime) return false;
    const bool all_reached = breakage_.Reachable();
    return std::ranges::all_of(kOurKinds, [&](std::string_view kind) {
      return std::ranges::all_of(witness_.Of(kind), [&](const ObjectLife& object) {
        if (object.gone()) return true;
        return HasEnded(object.last(), all_reached) && !RemembersThaws(object.last(), world_.Now());
      });
    });
  }

  // A watch whose connection has died in silence tells nothing until it is opened anew.
  [[nodiscard]] bool NewsWasLost() {
    const auto& struck = world_.faults().struck();
    for (std::size_t i = 0; i < struck.size(); ++i) {
      const Fault& fault = scenario_.faults[i];
      const bool silent = fault.effect == Fault::Effect::kLose && fault.code == api::Code::kTimeout;
      if (silent && struck[i] > 0) return true;
    }
    return false;
  }

  // A thaw that is owed ends as well, unless its node is lost for good.
  static bool HasEnded(const boost::json::object& object, bool all_reached) {
    return IsFinalPhase(PhaseOf(object)) && !IsTerminating(object) &&
           !(all_reached && OwesThaw(object));
  }

  // Long enough for every resync in some runs. Of two processes each asks for the lease all the
  // time, which takes more events than all that they do otherwise.
  [[nodiscard]] milliseconds QuietTime() const {
    const bool hour = Dice(scenario_.seed, "quiet").OneIn(16);
    if (scenario_.knobs.processes > 1) return hour ? milliseconds(10min) : milliseconds(30s);
    return hour ? milliseconds(1h) : milliseconds(3min);
  }

  // ---- the verdict ------------------------------------------------------------------------------

  [[nodiscard]] bool IsPeaceful() const {
    return scenario_.faults.empty() && scenario_.knobs == Knobs{} &&
           std::ranges::all_of(scenario_.operations, [this](const Operation& operation) {
             return operation.act == Act::kApplyRestore || IsGoodBackup(operation) ||
                    DeletesWhatIsDone(operation);
           });
  }

  // Every backup had plenty of time before.
  [[nodiscard]] bool DeletesWhatIsDone(const Operation& operation) const {
    return operation.act == Act::kDeleteBackup &&
           std::ranges::none_of(scenario_.operations, [&](const Operation& other) {
             return other.act != Act::kDeleteBackup && other.at <= operation.at &&
                    other.at + 2min > operation.at;
           });
  }

  // Nothing in it is wrong, and nothing but the reference is said.
  [[nodiscard]] bool IsGoodBackup(const Operation& operation) const {
    const auto reference = Text(operation.fields, {"applicationRef"});
    const auto slash = reference.find('/');
    return operation.act == Act::kApplyBackup && operation.fields.size() == 1 &&
           slash != std::string_view::npos &&
           std::ranges::find(scenario_.applications, reference.substr(slash + 1),
                             &Application::name) != scenario_.applications.end();
  }

  std::vector<Period> AllOutages() const {
    std::vector<Period> all = outages_.seen();
    const auto more = [&all](const std::vector<Period>& others) {
      all.insert(all.end(), others.begin(), others.end());
    };
    more(lives_.gaps());
    for (Period period : breakage_.out_of_reach()) {
      period.to += kLongestThawBackOff;
      all.push_back(period);
    }
    std::ranges::sort(all, {},
                      [](const Period& period) { return std::pair(period.from, period.to); });
    return all;
  }

  void Judge() {
    const auto struck = world_.faults().struck();
    const Evidence evidence{
        .scenario = scenario_,
        .truth = cluster_.truth(),
        .witness = witness_,
        .began = began_,
        .chaos_ended = chaos_ended_,
        .ended = ended_,
        .quiet_ended = world_.Now(),
        .outages = AllOutages(),
        .faults_fired = std::ranges::any_of(struck, [](std::uint64_t n) { return n > 0; }),
        .peaceful = IsPeaceful()};
    CheckThawedInTime(evidence, report_);
    CheckSettled(evidence, report_);
    CheckHolders(evidence, report_);
    CheckVerdict(evidence, report_);
    CheckSnapshots(evidence, report_);
    CheckNothingLeft(evidence, report_);
    CheckRestores(evidence, report_);
    CheckEveryEnd(evidence, report_);
    CheckBadInputIsTold(evidence, report_);
  }

  std::uint64_t CountEnds(std::string_view plural, std::string_view kind,
                          std::map<std::string, std::uint64_t>& ends) const {
    for (const ObjectLife& object : witness_.Of(plural)) {
      if (object.gone()) {
        ++ends[fmt::format("{} deleted", kind)];
        continue;
      }
      ++ends[fmt::format("{} {} {}", kind, PhaseOf(object.last()),
                         Text(object.last(), {"status", "reason"}))];
    }
    return witness_.Of(plural).size();
  }

  RunOutcome Outcome() {
    RunOutcome outcome{
        .violations = report_.violations(),
        .tested = report_.tested(),
        .least_slack = report_.least_slack(),
        .virtual_time = std::chrono::duration_cast<milliseconds>(world_.Now() - world_.start()),
        .events = world_.steps(),
        .hash = world_.trace().hash(),
        .moments = world_.trace().moments(),
        .struck = world_.faults().struck()};
    outcome.backups = CountEnds("volumebackups", "backup", outcome.ends);
    outcome.restores = CountEnds("volumerestores", "restore", outcome.ends);
    outcome.counts = CountWork(witness_, cluster_.truth());
    return outcome;
  }

  const Scenario& scenario_;
  Report report_;
  api::Time began_{};
  api::Time chaos_ended_{};
  api::Time ended_{};
  api::Time progress_at_{};
  std::uint64_t progress_steps_ = 0;

  World world_;
  RunMemory memory_;
  ApiServer api_;
  Witness witness_;
  SimCluster cluster_;
  NodeRuntime node_;
  Network network_;
  Breakage breakage_;
  Operations operations_;
  Outages outages_;
  Lives lives_;
};

}  // namespace

RunOutcome RunScenario(const Scenario& scenario, const RunOptions& options) {
  const NoBackDoors shut;
  return Run(scenario, options).Carry();
}

}  // namespace stillpoint::sim::run
