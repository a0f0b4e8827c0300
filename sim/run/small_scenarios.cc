#include "sim/run/small_scenarios.h"

#include <chrono>
#include <utility>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

Operation Backup(std::chrono::milliseconds at, json::object more = {}) {
  json::object spec{{"applicationRef", "deployment/shop"}};
  for (auto& [key, value] : more) spec[key] = value;
  return {.at = at, .act = Act::kApplyBackup, .object = "a", .fields = std::move(spec)};
}

Operation Restore(std::chrono::milliseconds at, json::object more) {
  json::object spec{{"backupRef", "a"}, {"rolloutTimeout", "60s"}};
  for (auto& [key, value] : more) spec[key] = value;
  return {.at = at, .act = Act::kApplyRestore, .object = "r", .fields = std::move(spec)};
}

// So little time that whoever waits for an answer before the thaw is too late.
Scenario OneBackup() {
  return {.applications = {{.name = "shop"}}, .operations = {Backup(0s, {{"maxFreeze", "2s"}})}};
}

// Not guarded, and a group of pods and claims.
Scenario GroupOfPods() {
  return {.applications = {{.name = "shop", .replicas = 3, .claims = 3, .hook = HookForm::kArgv}},
          .operations = {Backup(0s, {{"onInconsistent", "Keep"}, {"deletionPolicy", "Delete"}})}};
}

Scenario HeldHook() {
  return {.knobs = {.cut_delay = 1s},
          .applications = {{.name = "shop", .replicas = 2, .hook = HookForm::kHeld}},
          .operations = {Backup(0s)}};
}

// The probe writes: the pods are NotReady from long before the cut until after the thaw.
Scenario Unready() {
  return {.knobs = {.cut_delay = 2s},
          .applications = {{.name = "shop", .replicas = 2, .probe = 1s}},
          .operations = {Backup(0s)}};
}

// One group of two workloads: one that is held, then one with a pre- and a post-hook.
Scenario MixedGroup() {
  const auto only = [](const char* application) {
    return json::object{{"matchLabels", {{"app", application}}}};
  };
  const json::array hooks{json::object{{"name", "hold"},
                                       {"mode", "Held"},
                                       {"shell", "app-hold-slow 5ms"},
                                       {"podSelector", only("shop")}},
                          json::object{{"name", "flag"},
                                       {"shell", "app-freeze-slow 5ms"},
                                       {"postShell", "app-thaw"},
                                       {"weight", 1},
                                       {"podSelector", only("pg")}}};
  json::object fields{{"selector", {{"matchLabels", {{"tier", "app"}}}}}, {"hooks", hooks}};
  Operation backup{.at = 0s, .act = Act::kApplyBackup, .object = "a", .fields = std::move(fields)};
  return {.knobs = {.cut_delay = 1s},
          .applications = {{.name = "shop"}, {.name = "pg", .kind = WorkloadKind::kStatefulSet}},
          .operations = {std::move(backup)}};
}

Scenario FailedHook() {
  return {.applications = {{.name = "shop", .replicas = 2, .hook = HookForm::kFailing}},
          .operations = {Backup(0s)}};
}

// The deadline of the freeze comes before the cut.
Scenario StalledDriver() {
  return {.applications = {{.name = "shop", .claims = 2}},
          .operations = {
              {.at = 0s, .act = Act::kStallDriver, .object = "-", .fields = {{"for", "30s"}}},
              Backup(1s, {{"maxFreeze", "5s"}})}};
}

// From the creation of the first of this kind on.
Fault LagOf(const char* resource, int life = 0) {
  return {.effect = Fault::Effect::kLag,
          .duration = 60s,
          .life = life,
          .stage = "change",
          .verb = "created",
          .resource = resource,
          .nth = 1};
}

// The watch caches of the API server stand still.
Scenario LaggingCache() {
  return {.knobs = {.cut_delay = 1s},
          .applications = {{.name = "shop"}},
          .operations = {Backup(0s)},
          .faults = {LagOf("volumebackups"), LagOf("volumesnapshots")}};
}

// Whoever takes over talks to an API server whose cache ends before the second backup.
Scenario LaggingServer() {
  Operation first = Backup(0s, {{"applicationRef", "deployment/none"}});
  first.object = "z";
  return {.knobs = {.cut_delay = 1s},
          .applications = {{.name = "shop"}},
          .operations = {std::move(first), Backup(0s)},
          .faults = {LagOf("volumebackups", 2)}};
}

// One leads and one waits.
Scenario TwoControllers() {
  return {.knobs = {.processes = 2, .cut_delay = 2s},
          .applications = {{.name = "shop"}},
          .operations = {Backup(5s)}};
}

// The next leader has one to end, and then one of the same pods to begin.
Scenario TwoControllersTwoBackups() {
  Operation second = Backup(1s);
  second.object = "b";
  return {.knobs = {.processes = 2, .cut_delay = 3s},
          .applications = {{.name = "shop"}},
          .operations = {Backup(0s), std::move(second)}};
}

Scenario Cancelled() {
  return {.knobs = {.cut_delay = 2s},
          .applications = {{.name = "shop", .claims = 2}},
          .operations = {Backup(0s), {.at = 1s, .act = Act::kCancelBackup, .object = "a"}}};
}

Scenario DeletedWhileFrozen() {
  return {.knobs = {.cut_delay = 2s},
          .applications = {{.name = "shop"}},
          .operations = {Backup(0s), {.at = 1s, .act = Act::kDeleteBackup, .object = "a"}}};
}

Scenario TwoBackupsOfOne() {
  Operation second = Backup(10ms);
  second.object = "b";
  return {.applications = {{.name = "shop"}}, .operations = {Backup(0s), std::move(second)}};
}

Scenario Repointed() {
  return {.applications = {{.name = "shop"}},
          .operations = {Backup(0s), Restore(30s, {{"oldClaims", "Delete"}})}};
}

Scenario Replaced() {
  return {.applications = {{.name = "shop"}},
          .operations = {Backup(0s), Restore(30s, {{"strategy", "Replace"}})}};
}

// The restored pods never come up.
Scenario RolledBack() {
  return {
      .applications = {{.name = "shop"}},
      .operations = {Backup(0s),
                     {.at = 29s, .act = Act::kNodeGone, .object = "-", .fields = {{"for", "120s"}}},
                     Restore(30s, {{"strategy", "Replace"}, {"rolloutTimeout", "20s"}})}};
}

}  // namespace

std::vector<SmallScenario> SmallScenarios() {
  return {{"one-backup", OneBackup()},
          {"group-of-pods", GroupOfPods()},
          {"held-hook", HeldHook()},
          {"unready", Unready()},
          {"mixed-group", MixedGroup()},
          {"failed-hook", FailedHook()},
          {"stalled-driver", StalledDriver()},
          {"lagging-cache", LaggingCache()},
          {"lagging-server", LaggingServer()},
          {"two-controllers", TwoControllers()},
          {"two-controllers-two-backups", TwoControllersTwoBackups()},
          {"cancelled", Cancelled()},
          {"deleted-while-frozen", DeletedWhileFrozen()},
          {"two-backups-of-one", TwoBackupsOfOne()},
          {"repointed", Repointed()},
          {"replaced", Replaced()},
          {"rolled-back", RolledBack()}};
}

}  // namespace stillpoint::sim::run
