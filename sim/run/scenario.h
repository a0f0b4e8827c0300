// Scenario: one run of the simulator as data. Whatever happens in a run follows from it: the
// applications, what people do and when, what breaks, the knobs, and the seed of all latencies.
// Plain values with a text form (scenario_text.h), so that a run that went wrong can be printed,
// made smaller and kept.
#pragma once

#include "api/meta.h"
#include "sim/world/faults.h"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stillpoint::sim::run {

inline constexpr char kNamespace[] = "shop";

// What a run may set of the world. Defaults: a healthy small cluster.
struct Knobs {
  std::int64_t processes = 1;  // controllers at a time; more than one: with a lease
  std::int64_t workers = 4;
  std::int64_t snapshotter_qps = 5000;  // in thousandths
  api::Duration api_delay{2};           // of one way of a request, at most
  api::Duration watch_delay{5};         // of an event, at most
  api::Duration cut_delay{20};          // of the driver
  api::Duration ready_delay{500};       // from the cut to readyToUse
  api::Duration restart_delay{2000};    // from a kill to the next life
  api::Duration clock_skew{0};          // of the second process
  api::Duration pod_start{1000};        // until a new pod is ready
  api::Duration late{0};                // by which a dead controller's requests land, at most
  bool heals = true;                    // false: what is broken at the end of chaos stays so
  bool first_in_first_out = true;       // false: the seed chooses among what is due at once
  bool operator==(const Knobs&) const = default;
};
BOOST_DESCRIBE_STRUCT(Knobs, (),
                      (processes, workers, snapshotter_qps, api_delay, watch_delay, cut_delay,
                       ready_delay, restart_delay, clock_skew, pod_start, late, heals,
                       first_in_first_out))

enum class HookForm {
  kNone,
  kShell,        // guarded
  kArgv,         // not guarded
  kSessionLock,  // one that cannot hold
  kFailing,      // exits with 1 and freezes nothing
  kHanging,      // guarded; freezes, and does not end
  kLate,         // guarded; would freeze long after its time-out
  kLateArgv,     // the same, not guarded
  kNoPostHook,
  kHeld,       // stands still for as long as it is held
  kHeldPost,   // the same, with a post-hook for a release that was not confirmed
  kHeldEarly,  // lets go by itself, before it is asked to
  kHeldMute,   // stands still and never says so
  kHeldDeaf,   // does not let go when it is asked to
};
BOOST_DESCRIBE_ENUM(HookForm, kNone, kShell, kArgv, kSessionLock, kFailing, kHanging, kLate,
                    kLateArgv, kNoPostHook, kHeld, kHeldPost, kHeldEarly, kHeldMute, kHeldDeaf)

[[nodiscard]] inline bool IsHeld(HookForm hook) {
  return hook >= HookForm::kHeld;
}

enum class WorkloadKind { kDeployment, kStatefulSet };
BOOST_DESCRIBE_ENUM(WorkloadKind, kDeployment, kStatefulSet)

// A workload with claims, and an application in its pods that writes until it is told to be still.
struct Application {
  std::string name;
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::int64_t replicas = 1;
  std::int64_t claims = 1;           // of a StatefulSet: for each of its pods
  std::vector<std::string> borrows;  // Deployments whose first claim its pods mount too
  HookForm hook = HookForm::kShell;
  api::Duration freeze_takes{5};  // from the start of the pre-hook to the still point
  std::int64_t weight = 0;        // of its hook
  api::Duration probe{0};         // stands still for so long: NotReady; 0: never
  bool late_binding = false;      // a class with WaitForFirstConsumer
  bool operator==(const Application&) const = default;
};
BOOST_DESCRIBE_STRUCT(Application, (),
                      (name, kind, replicas, claims, borrows, hook, freeze_takes, weight, probe,
                       late_binding))

// What people and machines do to the cluster. Every one may be done at any time and to anything: on
// an object that is not there it does nothing.
enum class Act {
  kApplyBackup,  // fields: the spec; on one that exists, a merge patch
  kCancelBackup,
  kDeleteBackup,
  kApplyRestore,  // fields: the spec
  kDeleteRestore,
  kAnnotate,  // a stranger writes to the VolumeBackup. fields: times, every
  kScale,     // fields: replicas
  kRoll,      // a change of the pod template
  kDeleteApplication,
  kCreateApplication,  // again, as it was declared
  kDeletePod,          // fields: index, grace
  kRestartContainer,   // fields: index
  kKillHooks,          // what hooks have running in a pod. fields: index
  kNodeGone,           // loses its power. fields: for
  kNodeSilent,         // its pods run on, and nobody reaches them. fields: for
  kBreakDriver,        // it answers with an error. fields: for
  kStallDriver,        // it cuts nothing. fields: for
  kNeverReady,         // it cuts, and no snapshot becomes ready. fields: for
  kDeleteSnapshot,     // of a backup. fields: index
  kDeleteContent,      // fields: index
  kDeleteClaim,        // fields: index
};
BOOST_DESCRIBE_ENUM(Act, kApplyBackup, kCancelBackup, kDeleteBackup, kApplyRestore, kDeleteRestore,
                    kAnnotate, kScale, kRoll, kDeleteApplication, kCreateApplication, kDeletePod,
                    kRestartContainer, kKillHooks, kNodeGone, kNodeSilent, kBreakDriver,
                    kStallDriver, kNeverReady, kDeleteSnapshot, kDeleteContent, kDeleteClaim)

struct Operation {
  std::chrono::milliseconds at{};  // since the applications run
  Act act = Act::kApplyBackup;
  std::string object;  // its name; "-" where there is none
  boost::json::object fields;
  bool operator==(const Operation&) const = default;
};

struct Scenario {
  std::uint64_t seed = 0;
  Knobs knobs;
  std::vector<Application> applications;
  std::vector<Operation> operations;
  std::vector<Fault> faults;
  bool operator==(const Scenario&) const = default;
};

}  // namespace stillpoint::sim::run
