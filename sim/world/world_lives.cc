#include "sim/world/world.h"

#include <algorithm>
#include <utility>

// The lives of a World and what faults do to them; its time is in world.cc.
namespace stillpoint::sim {

// ---- what faults do ---------------------------------------------------------------------------

void World::Strike(const Fault& fault, const Point& point, Disturbance* disturbance) {
  switch (fault.effect) {
    case Fault::Effect::kLose:
      disturbance->lost = fault.code;
      return;
    case Fault::Effect::kRefuse:
      disturbance->refused = fault.code;
      return;
    case Fault::Effect::kDelay:
      disturbance->delay += fault.duration;
      return;
    default:
      break;
  }
  // The cluster's own points trigger what is to happen to a life, or to all of them.
  const int one = point.life != 0 ? point.life : fault.life;
  // The cache of the API server itself: who comes later meets it too.
  const bool of_all = one == 0 && fault.effect == Fault::Effect::kLag;
  if (one != 0 || of_all) return StrikeLife(fault, one, point.resource);
  std::vector<int> lives;
  for (const auto& [life, actor] : actors_) lives.push_back(life);
  for (const int life : lives) StrikeLife(fault, life, point.resource);
}

void World::StrikeLife(const Fault& fault, int life, std::string_view resource) {
  const Duration duration =
      fault.for_ever && fault.duration.count() == 0 ? Duration::max() : Duration(fault.duration);
  Condition& condition = conditions_[life];
  switch (fault.effect) {
    case Fault::Effect::kKill:
      return Kill(life);
    case Fault::Effect::kPause:
      return Pause(life, duration, fault.for_ever);
    case Fault::Effect::kPartitionApi:
      return Begin(&condition.api, duration, fault.for_ever);
    case Fault::Effect::kPartitionExec:
      return Begin(&condition.exec, duration, fault.for_ever);
    case Fault::Effect::kPartition:
      Begin(&condition.api, duration, fault.for_ever);
      return Begin(&condition.exec, duration, fault.for_ever);
    case Fault::Effect::kLag:
      return BeginLag(life, resource, duration, fault.for_ever);
    case Fault::Effect::kDropStreams:
      // Not now: the point may be one of such a stream.
      Land(Duration(0), [this, life] {
        if (drop_streams_) drop_streams_(life);
      });
      return;
    default:
      return;
  }
}

void World::Settle() {
  faults_.Settle();
  for (auto& [life, condition] : conditions_) {
    for (Until* state : {&condition.api, &condition.exec}) {
      if (!state->for_ever) state->end = now_;
    }
    for (auto& [resource, state] : condition.lag) {
      if (!state.for_ever) state.end = now_;
    }
    if (!condition.paused.for_ever) Resume(life);
  }
}

// ---- birth and death --------------------------------------------------------------------------

int World::AddLife(Actor& actor) {
  actors_.emplace(++last_life_, &actor);
  Note(last_life_, "start");
  return last_life_;
}

void World::Note(int life, std::string_view verb) {
  trace_.Add(now_, {.life = life, .stage = Stage::kLife, .verb = verb, .resource = "life"});
}

void World::Kill(int life) {
  const auto actor = actors_.find(life);
  if (actor == actors_.end()) return;
  doomed_[life] = true;
  if (running_ == life) actor->second->Interrupt();
  if (!stepping_) BuryTheDoomed();
}

void World::HasEnded(int life) {
  doomed_.try_emplace(life, false);
}

void World::BuryTheDoomed() {
  while (!doomed_.empty()) {
    const auto [life, killed] = *doomed_.begin();
    BuryNow(life, killed);
  }
}

void World::BuryNow(int life, bool killed) {
  doomed_.erase(life);
  const auto actor = actors_.extract(life);
  if (actor.empty()) return;
  Note(life, killed ? "kill" : "end");
  conditions_[life].put_off.clear();
  actor.mapped()->Bury();
}

void World::Pause(int life, Duration duration) {
  Pause(life, duration, false);
}

void World::Pause(int life, Duration duration, bool for_ever) {
  if (!IsAlive(life)) return;
  Note(life, "pause");
  Until& state = conditions_[life].paused;
  Begin(&state, duration, for_ever);
  if (running_ == life) actors_[life]->Interrupt();
  if (state.end == kForEver) return;
  Land(state.end - now_, [this, life] {
    if (Left(conditions_[life].paused) == Duration(0)) Resume(life);
  });
}

// What came meanwhile is delivered one by one, as after SIGCONT.
void World::Resume(int life) {
  Condition& condition = conditions_[life];
  condition.paused = {};
  auto put_off = std::exchange(condition.put_off, {});
  if (!put_off.empty()) Note(life, "resume");
  for (Action& action : put_off) Deliver(life, Duration(0), std::move(action));
}

bool World::IsPaused(int life) const {
  const Condition* condition = ConditionOf(life);
  return condition && condition->paused.end > now_;
}

void World::Begin(Until* state, Duration duration, bool for_ever) const {
  state->end = std::max(state->end, Instant(duration));
  state->for_ever = state->for_ever || for_ever;
}

void World::PartitionApi(int life, Duration duration) {
  Begin(&conditions_[life].api, duration, false);
}

void World::PartitionExec(int life, Duration duration) {
  Begin(&conditions_[life].exec, duration, false);
}

void World::Lag(int life, std::string_view resource, Duration duration) {
  BeginLag(life, resource, duration, false);
}

void World::BeginLag(int life, std::string_view resource, Duration duration, bool for_ever) {
  Stop& lag = conditions_[life].lag[std::string(resource)];
  if (lag.end <= now_) lag.version = version_ ? version_() : 0;
  Begin(&lag, duration, for_ever);
}

const World::Condition* World::ConditionOf(int life) const {
  const auto found = conditions_.find(life);
  return found == conditions_.end() ? nullptr : &found->second;
}

std::optional<World::Duration> World::Left(const Until& state) const {
  if (state.end == kForEver) return std::nullopt;
  return std::max(Duration(0), state.end - now_);
}

std::optional<World::Duration> World::ApiCut(int life) const {
  const Condition* condition = ConditionOf(life);
  return condition ? Left(condition->api) : Duration(0);
}

std::optional<World::Duration> World::ExecCut(int life) const {
  const Condition* condition = ConditionOf(life);
  return condition ? Left(condition->exec) : Duration(0);
}

const World::Stop* World::LongestLag(int life, std::string_view resource) const {
  const Stop* longest = nullptr;
  for (const int of : {life, 0}) {
    const Condition* condition = ConditionOf(of);
    if (!condition) continue;
    const auto found = condition->lag.find(resource);
    if (found == condition->lag.end()) continue;
    if (!longest || found->second.end > longest->end) longest = &found->second;
  }
  return longest;
}

api::Time World::LagOf(int life, std::string_view resource) const {
  const Stop* lag = LongestLag(life, resource);
  return lag ? lag->end : api::Time{};
}

std::optional<std::uint64_t> World::CachedVersion(int life, std::string_view resource) const {
  const Stop* lag = LongestLag(life, resource);
  return lag && lag->end > now_ ? std::optional(lag->version) : std::nullopt;
}

}  // namespace stillpoint::sim
