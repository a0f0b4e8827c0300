#include "sim/run/shrink.h"

#include "api/codec.h"

#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

class Shrinker {
 public:
  Shrinker(Scenario scenario, const Fails& fails, std::size_t tries)
      : best_(std::move(scenario)), fails_(fails), tries_(tries) {}

  Scenario Run() {
    // What was left out late may have been what an early step needed.
    for (Scenario before = best_; tries_ > 0; before = best_) {
      LeaveOut(&Scenario::faults);
      LeaveOut(&Scenario::operations);
      LeaveOut(&Scenario::applications);
      SetKnobsBack();
      MakeApplicationsSmaller();
      DropFields();
      MoveOperations();
      if (best_ == before) break;
    }
    return std::move(best_);
  }

 private:
  bool Try(Scenario candidate) {
    if (tries_ == 0 || candidate == best_) return false;
    --tries_;
    if (!fails_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  // Zeller's ddmin, with complements only: chunks of n/2, n/4, ... 1.
  template <class T>
  void LeaveOut(std::vector<T> Scenario::* list) {
    for (std::size_t chunk = (best_.*list).size(); chunk > 0; chunk /= 2) {
      for (std::size_t begin = 0; begin < (best_.*list).size();) {
        Scenario candidate = best_;
        auto& elements = candidate.*list;
        const std::size_t end = std::min(begin + chunk, elements.size());
        elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(begin),
                       elements.begin() + static_cast<std::ptrdiff_t>(end));
        if (!Try(std::move(candidate))) begin = end;
      }
    }
  }

  void SetKnobsBack() {
    Scenario candidate = best_;
    candidate.knobs = {};
    if (Try(std::move(candidate))) return;
    const json::object usual = api::Encode(Knobs{}).as_object();
    for (const auto& [key, value] : usual) {
      json::object knobs = api::Encode(best_.knobs).as_object();
      knobs[key] = value;
      candidate = best_;
      candidate.knobs = api::Decode<Knobs>(json::value(std::move(knobs))).value_or(best_.knobs);
      Try(std::move(candidate));
    }
  }

  void MakeApplicationsSmaller() {
    for (std::size_t i = 0; i < best_.applications.size(); ++i) {
      Lessen(i, &Application::replicas);
      Lessen(i, &Application::claims);
      const Application usual{.name = best_.applications[i].name};
      Set(i, &Application::borrows, usual.borrows);
      Set(i, &Application::late_binding, usual.late_binding);
      Set(i, &Application::freeze_takes, usual.freeze_takes);
      Set(i, &Application::probe, usual.probe);
      Set(i, &Application::kind, usual.kind);
      Set(i, &Application::hook, usual.hook);
    }
  }

  void Lessen(std::size_t i, std::int64_t Application::* number) {
    if (Set(i, number, std::int64_t{1})) return;
    while (best_.applications[i].*number > 1) {
      if (!Set(i, number, best_.applications[i].*number - 1)) return;
    }
  }

  template <class T>
  bool Set(std::size_t i, T Application::* member, const T& value) {
    Scenario candidate = best_;
    candidate.applications[i].*member = value;
    return Try(std::move(candidate));
  }

  void DropFields() {
    for (std::size_t i = 0; i < best_.operations.size(); ++i) {
      const json::object fields = best_.operations[i].fields;
      for (const auto& [key, value] : fields) {
        Scenario candidate = best_;
        candidate.operations[i].fields.erase(key);
        Try(std::move(candidate));
      }
    }
  }

  // Round times are easier to think about.
  void MoveOperations() {
    for (std::size_t i = 0; i < best_.operations.size(); ++i) {
      for (const auto unit : {std::chrono::milliseconds(24h), std::chrono::milliseconds(10s),
                              std::chrono::milliseconds(1s), std::chrono::milliseconds(100ms)}) {
        Scenario candidate = best_;
        auto& at = candidate.operations[i].at;
        at -= at % unit;
        if (Try(std::move(candidate))) break;
      }
    }
  }

  Scenario best_;
  const Fails& fails_;
  std::size_t tries_;
};

}  // namespace

Scenario Shrink(Scenario scenario, const Fails& fails, std::size_t tries) {
  return Shrinker(std::move(scenario), fails, tries).Run();
}

}  // namespace stillpoint::sim::run
