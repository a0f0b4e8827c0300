#include "sim/run/place_faults.h"

#include "sim/run/dice.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;
using Effect = Fault::Effect;
using std::chrono::milliseconds;

// Something that comes from a command.
bool IsFrame(const Moment& moment) {
  return IsAt(moment, Stage::kAnswer) && moment.point.find(" pods/exec ") != std::string::npos &&
         moment.point.find(" exec ") == std::string::npos;
}

class Placer {
 public:
  explicit Placer(std::uint64_t seed) : dice_(seed, "faults") {}

  // Exactly one, at one of these moments.
  Fault Place(const std::vector<Moment>& moments) {
    const Moment& moment = AnyOf(moments);
    Fault fault = At(moment, AnyEffect(moment));
    SetHow(fault);
    return fault;
  }

  std::vector<Fault> Many(bool may_stay) {
    std::vector<Fault> faults;
    for (const Effect effect : dice_.Swarm<Effect>(
             {Effect::kKill, Effect::kPause, Effect::kPartitionApi, Effect::kPartitionExec,
              Effect::kPartition, Effect::kLose, Effect::kRefuse, Effect::kDelay, Effect::kLag,
              Effect::kDropStreams})) {
      faults.push_back(AtRandom(effect));
      faults.back().for_ever = may_stay && MayStay(effect) && dice_.OneIn(4);
    }
    return faults;
  }

 private:
  // Half of the time any kind of moment is as likely as any other: else nearly all faults would
  // strike what is done over and over again, like the renewal of a lease.
  const Moment& AnyOf(const std::vector<Moment>& moments) {
    if (dice_.OneIn(2)) return dice_.Pick(moments);
    std::map<std::pair<int, std::string_view>, std::vector<const Moment*>> kinds;
    for (const Moment& moment : moments) kinds[{moment.life, moment.point}].push_back(&moment);
    auto kind = kinds.begin();
    std::advance(kind, dice_.Below(kinds.size()));
    return *dice_.Pick(kind->second);
  }

  // Kills are what most bugs need.
  Effect AnyEffect(const Moment& moment) {
    if (dice_.OneIn(2)) return Effect::kKill;
    std::vector<Effect> effects{Effect::kPause,      Effect::kPartitionApi, Effect::kPartitionExec,
                                Effect::kPartition,  Effect::kDelay,        Effect::kLag,
                                Effect::kDropStreams};
    if (IsAt(moment, Stage::kSend)) effects.insert(effects.end(), {Effect::kLose, Effect::kRefuse});
    if (IsAt(moment, Stage::kEffect) || IsFrame(moment)) {
      effects.insert(effects.end(), 3, Effect::kLose);
    }
    return dice_.Pick(effects);
  }

  // A fault that never ends must leave a way to the end.
  static bool MayStay(Effect effect) { return effect == Effect::kDelay; }

  void SetHow(Fault& fault) {
    fault.duration = Length(fault.effect);
    if (fault.effect == Effect::kLose) {
      fault.code = dice_.OneIn(2) ? api::Code::kTimeout : api::Code::kUnavailable;
    } else if (fault.effect == Effect::kRefuse) {
      fault.code = dice_.Pick<api::Code>({api::Code::kConflict, api::Code::kExpired,
                                          api::Code::kTooManyRequests, api::Code::kUnavailable,
                                          api::Code::kForbidden});
    }
  }

  // Short blips and long outages.
  milliseconds Length(Effect effect) {
    if (effect == Effect::kDelay) return dice_.Between(1ms, 12s);
    return dice_.OneIn(2) ? dice_.Between(1ms, 2s) : dice_.Between(2s, 120s);
  }

  Fault AtRandom(Effect effect) {
    Fault fault{.effect = effect};
    SetHow(fault);
    const bool of_request = effect == Effect::kRefuse || effect == Effect::kLose;
    if (effect == Effect::kRefuse) fault.stage = "send";
    if (effect == Effect::kLose && dice_.OneIn(2)) fault.stage = "effect";
    if (dice_.OneIn(2))
      fault.verb = dice_.Pick<std::string>(
          {"get", "list", "create", "patch", "delete", "watch", "exec", "event"});
    if (dice_.OneIn(2)) {
      fault.resource = dice_.Pick<std::string>(
          {"volumebackups", "volumebackups/status", "volumerestores", "volumerestores/status",
           "volumesnapshots", "volumesnapshotcontents", "pods", "pods/exec",
           "persistentvolumeclaims", "deployments", "statefulsets", "leases"});
    }
    fault.one_in = Rate(of_request);
    return fault;
  }

  // Log-uniform. What outlasts its moment strikes rarely.
  std::uint32_t Rate(bool brief) {
    const auto doublings = brief ? dice_.Between(1, 9) : dice_.Between(4, 11);
    return std::uint32_t{1} << doublings;
  }

  Dice dice_;
};

}  // namespace

std::vector<Fault> EveryKill(const std::vector<Moment>& moments) {
  std::vector<Fault> faults;
  for (const Moment& moment : moments) faults.push_back(At(moment, Effect::kKill));
  return faults;
}

std::vector<Fault> EveryLostAnswer(const std::vector<Moment>& moments) {
  std::vector<Fault> faults;
  for (const Moment& moment : moments) {
    if (!IsAt(moment, Stage::kEffect)) continue;
    for (const api::Code code : {api::Code::kUnavailable, api::Code::kTimeout}) {
      faults.push_back(At(moment, Effect::kLose));
      faults.back().code = code;
    }
  }
  return faults;
}

std::vector<Fault> EveryPause(const std::vector<Moment>& moments) {
  std::vector<Fault> faults;
  // It goes on just when the next leader works, or when that is long over.
  for (const milliseconds length : {21s, 23s, 45s}) {
    for (const Moment& moment : moments) {
      faults.push_back(At(moment, Effect::kPause));
      faults.back().duration = length;
    }
  }
  return faults;
}

std::vector<Fault> EveryLostStream(const std::vector<Moment>& moments) {
  std::vector<Fault> faults;
  for (const Moment& moment : moments) {
    if (!IsAt(moment, Stage::kAnswer)) continue;
    faults.push_back(At(moment, Effect::kDropStreams));
    if (!IsFrame(moment)) continue;
    for (const api::Code code : {api::Code::kUnavailable, api::Code::kTimeout}) {
      faults.push_back(At(moment, Effect::kLose));
      faults.back().code = code;
    }
  }
  return faults;
}

Fault AnyFault(std::uint64_t seed, const std::vector<Moment>& moments) {
  return Placer(seed).Place(moments);
}

Fault AnyLaterFault(std::uint64_t seed, const std::vector<Moment>& moments) {
  std::vector<Moment> recovery;
  std::ranges::copy_if(moments, std::back_inserter(recovery),
                       [](const Moment& moment) { return moment.life > 1; });
  return Placer(seed).Place(recovery.empty() ? moments : recovery);
}

std::vector<Fault> ManyFaults(std::uint64_t seed, bool may_stay) {
  return Placer(seed).Many(may_stay);
}

}  // namespace stillpoint::sim::run
