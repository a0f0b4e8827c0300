#include "sim/run/breakage.h"

#include <algorithm>

namespace stillpoint::sim::run {

using namespace std::chrono_literals;

namespace {

// Longer than any run.
constexpr std::chrono::hours kForEver{24 * 365};

}  // namespace

Breakage::Breakage(Timeline& timeline, SimCluster& cluster, const Knobs& knobs)
    : timeline_(timeline), cluster_(cluster), knobs_(knobs) {
  cluster_.storage().on_cut = [this](const CutRequest&, std::size_t) { return Cut(); };
}

api::Time Breakage::EndOf(std::chrono::milliseconds length) {
  if (!knobs_.heals) return timeline_.Now() + kForEver;
  const api::Time end = timeline_.Now() + length;
  healed_at_ = std::max(healed_at_, end);
  return end;
}

std::chrono::milliseconds Breakage::Left(api::Time end) const {
  return Lasts(end) ? std::chrono::ceil<std::chrono::milliseconds>(end - timeline_.Now()) : 0ms;
}

CutBehaviour Breakage::Cut() const {
  CutBehaviour behaviour{.cut = knobs_.cut_delay, .ready = knobs_.ready_delay};
  if (Lasts(broken_until_)) {
    behaviour.error = api::Error{api::Code::kUnknown, "the array is out of order"};
  }
  behaviour.cut += Left(stalled_until_);
  behaviour.never_answers = !knobs_.heals && Lasts(stalled_until_);
  behaviour.ready += Left(unready_until_);
  return behaviour;
}

void Breakage::LoseNode(NodeState state, std::chrono::milliseconds length) {
  if (Lasts(node_gone_until_)) return;
  node_gone_until_ = EndOf(length);
  out_of_reach_.push_back({timeline_.Now(), node_gone_until_});
  if (state == NodeState::kDead) {
    cluster_.KillNode();
  } else {
    cluster_.kubelet().SetNode(state);
  }
  timeline_.After(Left(node_gone_until_), [this] { cluster_.kubelet().SetNode(NodeState::kUp); });
}

void Breakage::BreakDriver(std::chrono::milliseconds length) {
  broken_until_ = EndOf(length);
}

void Breakage::StallDriver(std::chrono::milliseconds length) {
  stalled_until_ = EndOf(length);
}

void Breakage::KeepFromReady(std::chrono::milliseconds length) {
  unready_until_ = EndOf(length);
}

void Breakage::KillContainer(const std::string& pod_uid, const std::string& container) {
  cluster_.runtime().Kill(pod_uid, container);
}

void Breakage::KillHooks(const std::string& pod_uid, const std::string& container) {
  cluster_.runtime().KillCommands(pod_uid, container);
}

}  // namespace stillpoint::sim::run
