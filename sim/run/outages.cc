#include "sim/run/outages.h"

#include "sim/run/takeover.h"

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;

// What it strikes is no exec and keeps nobody from the lead: one answer, for which nobody waits
// long while an application stands still.
bool IsOfOneRequest(const Fault& fault) {
  return fault.resource != "*" && fault.resource != "leases" &&
         fault.resource.find("exec") == std::string::npos;
}

// How long one strike keeps a controller from its work, its own back-off included.
std::chrono::milliseconds LengthOf(const Fault& fault) {
  switch (fault.effect) {
    case Fault::Effect::kKill:
      return 0ms;  // Lives knows
    case Fault::Effect::kPause:
    case Fault::Effect::kPartitionApi:
    case Fault::Effect::kPartitionExec:
    case Fault::Effect::kPartition:
    case Fault::Effect::kDelay:
    case Fault::Effect::kLag:
      return fault.duration + 15s;
    case Fault::Effect::kDropStreams:
      return 15s;
    case Fault::Effect::kLose:
      if (IsOfOneRequest(fault)) return 3s;
      return fault.code == api::Code::kTimeout ? 30s : 15s;
    case Fault::Effect::kRefuse:
      return IsOfOneRequest(fault) ? 3s : 15s;
  }
  return 0ms;
}

}  // namespace

void Outages::Look() {
  const auto& struck = world_.faults().struck();
  struck_.resize(struck.size());
  for (std::size_t i = 0; i < struck.size(); ++i) {
    if (struck[i] == struck_[i]) continue;
    struck_[i] = struck[i];
    const Fault& fault = world_.faults().faults()[i];
    const auto length = LengthOf(fault) + TakeoverTime(knobs_);
    const bool blind = fault.effect == Fault::Effect::kLag;
    seen_.push_back({world_.Now(), world_.Now() + length, blind});
  }
}

}  // namespace stillpoint::sim::run
