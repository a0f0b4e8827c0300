#include "sim/run/evidence.h"

#include "sim/cluster/fields.h"

#include <algorithm>
#include <utility>

namespace stillpoint::sim::run {

std::optional<api::Time> ObjectLife::gone() const {
  if (changes.back().now) return std::nullopt;
  return changes.back().at;
}

const boost::json::object& ObjectLife::last() const {
  return changes.back().now ? *changes.back().now : *changes.back().before;
}

Witness::Witness(Objects& objects, const Timeline& timeline) {
  objects.OnChange([this, &timeline](const api::Resource& resource, const Change& change) {
    if (change.now || change.before) See(resource.plural, change, timeline.Now());
  });
}

void Witness::See(std::string_view plural, const Change& change, api::Time at) {
  auto found = kinds_.find(plural);
  if (found == kinds_.end()) found = kinds_.emplace(std::string(plural), Kind{}).first;
  Kind& kind = found->second;
  const StoredObject& object = change.now ? change.now : change.before;
  const std::string_view uid = Text(*object, {"metadata", "uid"});
  auto known = kind.by_uid.find(uid);
  if (known == kind.by_uid.end()) {
    known = kind.by_uid.emplace(std::string(uid), kind.lives.size()).first;
    kind.lives.push_back(
        {.uid = std::string(uid), .name = std::string(Text(*object, {"metadata", "name"}))});
  }
  kind.lives[known->second].changes.push_back({at, change.before, change.now});
}

const std::vector<ObjectLife>& Witness::Of(std::string_view plural) const {
  static const std::vector<ObjectLife> kNone;
  const auto found = kinds_.find(plural);
  return found == kinds_.end() ? kNone : found->second.lives;
}

const ObjectLife* Witness::Find(std::string_view plural, std::string_view uid) const {
  const auto kind = kinds_.find(plural);
  if (kind == kinds_.end()) return nullptr;
  const auto found = kind->second.by_uid.find(uid);
  return found == kind->second.by_uid.end() ? nullptr : &kind->second.lives[found->second];
}

std::chrono::milliseconds Evidence::Excused(api::Time from, api::Time to, bool blind) const {
  std::chrono::microseconds sum{0};
  api::Time counted = from;  // outages are in the order of their beginnings and may overlap
  for (const Period& outage : outages) {
    if (outage.blind && !blind) continue;
    const api::Time begin = std::max(outage.from, counted);
    const api::Time end = std::min(outage.to, to);
    if (end <= begin) continue;
    sum += end - begin;
    counted = end;
  }
  return std::chrono::ceil<std::chrono::milliseconds>(sum);
}

api::Time Evidence::DoneBy(api::Time from, std::chrono::milliseconds length) const {
  api::Time by = from + length;
  while (true) {
    const api::Time later = from + length + Excused(from, by);
    // An outage for ever: it is not done before the run is over.
    if (later <= by || by >= quiet_ended) return by;
    by = later;
  }
}

const Application* Evidence::FindApplication(std::string_view name) const {
  const auto found = std::ranges::find(scenario.applications, name, &Application::name);
  return found == scenario.applications.end() ? nullptr : &*found;
}

}  // namespace stillpoint::sim::run
