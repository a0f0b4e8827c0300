#include "sim/world/world.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <tuple>
#include <utility>

namespace stillpoint::sim {

namespace {

// The order among events that are due at once: those of the cluster in their order, in the middle
// of those whose order is the seed's choice.
constexpr std::uint64_t kMiddle = std::numeric_limits<std::uint64_t>::max() / 2;

}  // namespace

bool World::Later::operator()(const Due& a, const Due& b) const {
  return std::tie(a.at, a.tie, a.sequence) > std::tie(b.at, b.tie, b.sequence);
}

World::World(WorldOptions options)
    : options_(options), draws_(options.seed), now_(options.start), faults_(draws_) {}

World::~World() {
  assert(actors_.empty());
}

// ---- time -------------------------------------------------------------------------------------

void World::After(std::chrono::milliseconds delay, Action action) {
  Push(delay, 0, kMiddle, std::move(action));
}

World::EventId World::Deliver(int life, Duration delay, Action action) {
  return Push(delay, life, Tie(life), std::move(action));
}

World::EventId World::Land(Duration delay, Action action) {
  return Push(delay, 0, Tie(0), std::move(action));
}

std::uint64_t World::Tie(int life) const {
  if (options_.fifo) return kMiddle;
  return draws_.Bits(DrawStream::kScheduling, static_cast<std::uint64_t>(life), last_sequence_);
}

World::EventId World::Push(Duration delay, int life, std::uint64_t tie, Action action) {
  if (closed_) return {};
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  const std::uint64_t sequence = ++last_sequence_;
  slots_[slot] = {sequence, life, std::move(action)};
  heap_.push_back({Instant(std::max(delay, Duration(0))), tie, sequence, slot});
  std::ranges::push_heap(heap_, Later());
  return {slot, sequence};
}

// Its place in the heap stays until it is due; what it holds is gone at once.
void World::Cancel(const EventId& event) {
  if (event.sequence == 0 || closed_ || slots_[event.slot].sequence != event.sequence) return;
  const Slot cancelled = std::exchange(slots_[event.slot], Slot{});
  free_slots_.push_back(event.slot);
}

api::Time World::Instant(Duration from_now) const {
  return from_now >= kForEver - now_ ? kForEver : now_ + from_now;
}

void World::Close() {
  closed_ = true;
  heap_.clear();
  for (auto& [life, condition] : conditions_) condition.put_off.clear();
  const auto forgotten = std::exchange(slots_, {});
}

std::optional<World::Due> World::Pop() {
  while (!heap_.empty()) {
    const Due due = heap_.front();
    if (slots_[due.slot].sequence == due.sequence) return due;
    std::ranges::pop_heap(heap_, Later());
    heap_.pop_back();
  }
  return std::nullopt;
}

bool World::Step() {
  const auto due = Pop();
  if (!due) return false;
  std::ranges::pop_heap(heap_, Later());
  heap_.pop_back();
  now_ = due->at;
  Slot slot = std::exchange(slots_[due->slot], Slot{});
  free_slots_.push_back(due->slot);
  ++steps_;
  stepping_ = true;
  Run(std::move(slot));
  RunLives();
  stepping_ = false;
  if (observer_) observer_();
  return true;
}

void World::RunUntil(api::Time end) {
  for (auto due = Pop(); due && due->at <= end; due = Pop()) Step();
  now_ = std::max(now_, end);
}

void World::Run(Slot slot) {
  if (slot.life != 0 && !IsAlive(slot.life)) return;
  if (slot.life != 0 && IsPaused(slot.life)) {
    conditions_[slot.life].put_off.push_back(std::move(slot.action));
    return;
  }
  slot.action();
}

void World::RunLives() {
  BuryTheDoomed();
  for (auto it = actors_.begin(); it != actors_.end();) {
    running_ = it->first;
    if (!IsPaused(running_)) it->second->RunDry();
    const int life = std::exchange(running_, 0);
    BuryTheDoomed();
    it = actors_.upper_bound(life);
  }
}

// ---- points and faults ------------------------------------------------------------------------

World::Disturbance World::Meet(const Point& point) {
  trace_.Add(now_, point);
  Disturbance disturbance;
  for (const Fault* fault : faults_.Meet(point)) Strike(*fault, point, &disturbance);
  return disturbance;
}

}  // namespace stillpoint::sim
