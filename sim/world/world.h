// World: the virtual time of a run. Everything that happens in it is an event at an instant: of the
// cluster's own parts (Timeline), or delivered to a life of a controller. After each event every
// life runs until it only waits, and then whoever watches the run is called.
//
// One seed, one run: events are ordered by time, then by the choice of the seed where several are
// due at once (those of the cluster stay in their order), then by age.
#pragma once

#include "api/meta.h"
#include "sim/cluster/timeline.h"
#include "sim/world/draws.h"
#include "sim/world/faults.h"
#include "sim/world/point.h"
#include "sim/world/trace.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// A life of a controller, as the world sees it (process.h).
class Actor {
 public:
  virtual ~Actor() = default;

  // Runs its loop until nothing in it is ready.
  virtual void RunDry() = 0;

  // Lets the loop return at the next chance: it is about to be killed.
  virtual void Interrupt() = 0;

  // Destroys it.
  virtual void Bury() = 0;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  bool fifo = false;  // events due at once run in the order of their age
  api::Time start{std::chrono::sys_days(std::chrono::January / 1 / 2026)};
};

// Threads: one.
// Lifetime: outlives what it runs. Actors must be gone or buried before its destruction.
class World final : public Timeline {
 public:
  using Duration = std::chrono::microseconds;
  using Action = std::function<void()>;
  static constexpr api::Time kForEver = api::Time::max();

  struct EventId {
    std::uint32_t slot = 0;
    std::uint64_t sequence = 0;
  };

  // What the faults at a point leave to whoever reported it.
  struct Disturbance {
    std::optional<api::Code> lost;
    std::optional<api::Code> refused;
    Duration delay{0};
  };

  explicit World(WorldOptions options);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // ---- time ----

  [[nodiscard]] api::Time Now() const override { return now_; }
  [[nodiscard]] api::Time start() const { return options_.start; }
  void After(std::chrono::milliseconds delay, Action action) override;

  // As After(), for a life: no effect when it is dead by then, and put off while it is paused.
  EventId Deliver(int life, Duration delay, Action action);
  // As After(), but in any order with others that are due at once.
  EventId Land(Duration delay, Action action);
  // No effect when it has run.
  void Cancel(const EventId& event);

  // The next event. False: there is none.
  bool Step();
  // Every event up to then, and until then.
  void RunUntil(api::Time end);
  void RunFor(std::chrono::milliseconds duration) { RunUntil(now_ + duration); }

  // The run is over: forgets all events, and every one to come. To be called while all that they
  // hold can still be destroyed.
  void Close();

  // Runs after each event.
  void SetObserver(Action observer) { observer_ = std::move(observer); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  // ---- points and faults ----

  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] Faults& faults() { return faults_; }
  [[nodiscard]] const Draws& draws() const { return draws_; }

  // Reports a point. Faults that strike the life itself are carried out once the caller has
  // returned to the world; the rest is the caller's to do.
  Disturbance Meet(const Point& point);

  // The faults end but for those that are for ever, and so does what they began: partitions heal,
  // the paused resume, lag is over.
  void Settle();

  // ---- lives ----

  // Numbers begin at 1.
  int AddLife(Actor& actor);
  [[nodiscard]] bool IsAlive(int life) const { return actors_.contains(life); }
  [[nodiscard]] std::size_t alive() const { return actors_.size(); }

  // Within an event it dies once that has returned, and its loop if it runs; else at once.
  void Kill(int life);
  void Pause(int life, Duration duration);
  void Resume(int life);
  void PartitionApi(int life, Duration duration);
  void PartitionExec(int life, Duration duration);
  void Lag(int life, std::string_view resource, Duration duration);

  // The newest version that there is.
  void SetVersion(std::function<std::uint64_t()> version) { version_ = std::move(version); }

  // What a fault of this kind does: breaks the exec streams of a life.
  void SetDropStreams(std::function<void(int life)> drop) { drop_streams_ = std::move(drop); }

  // How long until packets pass again; zero: they do; nothing: never.
  [[nodiscard]] std::optional<Duration> ApiCut(int life) const;
  [[nodiscard]] std::optional<Duration> ExecCut(int life) const;
  // Until when its watches of this resource show nothing.
  [[nodiscard]] api::Time LagOf(int life, std::string_view resource) const;
  // Until they go on: the version when they stopped. Empty: they do not lag.
  [[nodiscard]] std::optional<std::uint64_t> CachedVersion(int life,
                                                           std::string_view resource) const;

  // A life has ended by itself: it is buried as soon as its loop has returned.
  void HasEnded(int life);
  // Buries it now. REQUIRES: its loop does not run.
  void BuryNow(int life, bool killed);

 private:
  struct Slot {
    std::uint64_t sequence = 0;  // 0: free
    int life = 0;
    Action action;
  };
  struct Due {
    api::Time at;
    std::uint64_t tie;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  // The later one first, as a heap has it.
  struct Later {
    bool operator()(const Due& a, const Due& b) const;
  };
  // A state that began with a fault, and when it ends.
  struct Until {
    api::Time end{};
    bool for_ever = false;  // not healed by Settle()
  };
  struct Stop : Until {
    std::uint64_t version = 0;  // the newest when it began
  };
  struct Condition {
    Until api;
    Until exec;
    Until paused;
    std::map<std::string, Stop, std::less<>> lag;  // by resource
    std::vector<Action> put_off;                   // while it is paused, oldest first
  };

  // `from_now` may be as long as for ever.
  [[nodiscard]] api::Time Instant(Duration from_now) const;
  EventId Push(Duration delay, int life, std::uint64_t tie, Action action);
  [[nodiscard]] std::uint64_t Tie(int life) const;
  std::optional<Due> Pop();
  void Run(Slot slot);
  void RunLives();
  void BuryTheDoomed();
  void Strike(const Fault& fault, const Point& point, Disturbance* disturbance);
  void StrikeLife(const Fault& fault, int life, std::string_view resource);
  void Begin(Until* state, Duration duration, bool for_ever) const;
  void BeginLag(int life, std::string_view resource, Duration duration, bool for_ever);
  // The lag of this life, or that of all: whichever is longer. Null: none.
  [[nodiscard]] const Stop* LongestLag(int life, std::string_view resource) const;
  void Pause(int life, Duration duration, bool for_ever);
  [[nodiscard]] bool IsPaused(int life) const;
  [[nodiscard]] std::optional<Duration> Left(const Until& state) const;
  [[nodiscard]] const Condition* ConditionOf(int life) const;
  void Note(int life, std::string_view verb);

  const WorldOptions options_;
  const Draws draws_;
  api::Time now_;
  Trace trace_;
  Faults faults_;
  Action observer_;
  std::uint64_t steps_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::vector<Due> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  int last_life_ = 0;
  std::map<int, Actor*> actors_;
  std::map<int, Condition> conditions_;  // 0: of every life, those to come too
  std::map<int, bool> doomed_;           // true: killed, false: has ended by itself
  std::function<std::uint64_t()> version_;
  std::function<void(int)> drop_streams_;
  int running_ = 0;  // the life whose loop runs now
  bool stepping_ = false;
  bool closed_ = false;
};

}  // namespace stillpoint::sim
