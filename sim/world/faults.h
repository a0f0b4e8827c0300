// Faults as data: where each strikes, and what it does. One line of text each, so that a run that
// went wrong can be written down, shrunk and run again.
//
//   kill life=1 at=effect,patch,volumebackups/status,shop/a nth=2
//   refuse code=Conflict at=send,patch,*,* one-in=50
//   partition-api for=20s life=1 at=answer,exit,pods/exec,*
//   lag for=30s at=effect,watch,volumebackups,*
//   pause for=1m at=effect,patch,volumebackups/status,* with="freeze"
//   drop-streams life=1 at=answer,event,volumesnapshotcontents,*
//   lose code=Timeout for-ever at=send,*,volumesnapshots,*
#pragma once

#include "api/error.h"
#include "sim/world/draws.h"
#include "sim/world/point.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillpoint::sim {

// A word of a pattern is a word of Text(Point), or "*" for any.
struct Fault {
  enum class Effect {
    kKill,           // SIGKILL. What has been sent is on its way and may land later
    kPause,          // SIGSTOP for `duration`, then SIGCONT
    kPartitionApi,   // no packet between this life and the API server for `duration`
    kPartitionExec,  // likewise, of its exec streams only
    kPartition,      // both
    kLose,           // kSend: the request gets lost. kEffect: the answer does. `code` kTimeout: in
            // silence; kUnavailable: with the connection. kAnswer of a stream: likewise the
            // stream; in silence means that it stays open
    kRefuse,  // kSend: the API server answers `code` and does nothing
    kDelay,   // kSend, kEffect: by `duration`. kAnswer of a stream: it and all after it
    // Every watch of that life and resource shows nothing for `duration`, and lists that may be old
    // are as of its beginning. At a change of the cluster's with life 0: of all lives, and of those
    // to come.
    kLag,
    kDropStreams,  // every exec stream of that life breaks, and both of its ends learn of it
  };
  Effect effect = Effect::kKill;
  std::chrono::milliseconds duration{0};
  api::Code code = api::Code::kUnavailable;

  // 0: any. At a change of the cluster's: the life that is struck, 0: all.
  int life = 0;
  std::string stage = "*";
  std::string verb = "*";
  std::string resource = "*";  // with its subresource: "volumebackups/status"
  std::string object = "*";    // "shop/a"
  std::string with;            // a part of the body's or the changed object's JSON text
  std::uint32_t nth = 0;       // of the points that match, from 1; 0: each of them
  std::uint32_t one_in = 1;    // then strikes with this chance
  bool for_ever = false;       // goes on after Settle(), and so does what it began

  bool operator==(const Fault&) const = default;
};

// One line, and back. Errors: kInvalid, naming the word that is wrong.
[[nodiscard]] std::string Text(const Fault& fault);
[[nodiscard]] api::Result<Fault> ParseFault(std::string_view line);

// The fault that strikes at this moment of a dry run and at no other.
[[nodiscard]] Fault At(const Moment& moment, Fault::Effect effect);

// Whether losing or killing there is something of its own: an answer can be lost at kEffect only.
[[nodiscard]] bool IsAt(const Moment& moment, Stage stage);

// The faults of one run, and how often each has struck.
// Threads: one.
class Faults {
 public:
  explicit Faults(Draws draws) : draws_(draws) {}

  void Set(std::vector<Fault> faults);

  // Those that strike now.
  [[nodiscard]] std::vector<const Fault*> Meet(const Point& point);

  // From now on only what is for ever.
  void Settle() { settled_ = true; }

  // In the order of Set(): how often each has struck. Never: it no longer bites in this build.
  [[nodiscard]] const std::vector<std::uint64_t>& struck() const { return struck_; }
  [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }

 private:
  Draws draws_;
  bool settled_ = false;
  std::vector<Fault> faults_;
  std::vector<std::uint64_t> entities_;  // of the draws of each
  std::vector<std::uint64_t> matched_;
  std::vector<std::uint64_t> struck_;
};

}  // namespace stillpoint::sim
