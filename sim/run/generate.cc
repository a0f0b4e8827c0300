#include "sim/run/generate.h"

#include "api/duration.h"
#include "sim/run/dice.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

const std::vector<std::string> kApplications{"shop", "pg", "web"};
const std::vector<std::string> kBackups{"a", "b", "c"};
const std::vector<std::string> kRestores{"r", "s", "t"};

std::string DurationText(milliseconds duration) {
  return api::FormatDuration(duration);
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed)
      : seed_(seed),
        trouble_(TroubleOf(seed)),
        shape_(seed, "shape"),
        knobs_(seed, "knobs"),
        probes_(seed, "probes"),
        acts_(seed, "acts") {}

  Scenario Run() {
    scenario_.seed = seed_;
    MakeApplications();
    if (Calm()) {
      InPeace();
    } else {
      MakeKnobs();
      MakeOperations();
    }
    return std::move(scenario_);
  }

 private:
  bool Calm() const { return trouble_ == Trouble::kPeace; }

  // ---- applications -----------------------------------------------------------------------------

  void MakeApplications() {
    const auto count = shape_.OneIn(2) ? 1U : 1 + shape_.Below(kApplications.size());
    for (std::size_t i = 0; i < count; ++i) MakeApplication(kApplications[i]);
  }

  void MakeApplication(const std::string& name) {
    Application application{.name = name};
    if (shape_.OneIn(3)) application.kind = WorkloadKind::kStatefulSet;
    application.replicas = shape_.OneIn(2) ? 1 : shape_.Between(1, 5);
    application.claims = shape_.OneIn(2) ? shape_.Between(1, 2) : shape_.Between(1, 12);
    if (application.kind == WorkloadKind::kStatefulSet) {
      application.claims = std::min<std::int64_t>(application.claims, 12 / application.replicas);
    }
    application.late_binding = shape_.OneIn(3);
    application.freeze_takes = shape_.OneIn(4) ? shape_.Between(1ms, 5s) : 5ms;
    application.hook = MakeHook();
    if (shape_.OneIn(4)) application.weight = shape_.Between(-1, 1);
    if (probes_.OneIn(3)) application.probe = probes_.Between(1s, 10s);
    for (const Application& other : scenario_.applications) {
      const bool mountable = other.kind == WorkloadKind::kDeployment;
      if (mountable && !Calm() && shape_.OneIn(4)) application.borrows.push_back(other.name);
    }
    scenario_.applications.push_back(std::move(application));
  }

  HookForm MakeHook() {
    if (Calm()) {
      return shape_.Pick<HookForm>(
          {HookForm::kArgv, HookForm::kShell, HookForm::kHeld, HookForm::kHeldPost});
    }
    switch (shape_.Below(22)) {
      case 0:
        return HookForm::kNone;
      case 1:
        return HookForm::kSessionLock;
      case 2:
        return HookForm::kFailing;
      case 3:
        return HookForm::kNoPostHook;
      case 4:
        return HookForm::kHanging;
      case 5:
        return HookForm::kLate;
      case 6:
        return HookForm::kLateArgv;
      case 7:
      case 8:
      case 9:
        return HookForm::kArgv;
      case 10:
        return HookForm::kHeldPost;
      case 11:
        return HookForm::kHeldEarly;
      case 12:
        return HookForm::kHeldMute;
      case 13:
        return HookForm::kHeldDeaf;
      case 14:
      case 15:
      case 16:
      case 17:
        return HookForm::kHeld;
      default:
        return HookForm::kShell;
    }
  }

  // ---- knobs ------------------------------------------------------------------------------------

  // Each knob stays as it is in half of the runs.
  void MakeKnobs() {
    Knobs& knobs = scenario_.knobs;
    if (knobs_.OneIn(3)) knobs.processes = 2;
    if (knobs_.OneIn(4)) knobs.workers = 1;
    if (knobs_.OneIn(3)) knobs.snapshotter_qps = knobs_.Pick<std::int64_t>({100, 1000, 100'000});
    if (knobs_.OneIn(2)) knobs.api_delay = Spread(300ms);
    if (knobs_.OneIn(2)) knobs.watch_delay = Spread(3s);
    if (knobs_.OneIn(2)) knobs.cut_delay = Spread(20s);
    if (knobs_.OneIn(2)) knobs.ready_delay = Spread(300s);
    if (knobs_.OneIn(2)) knobs.restart_delay = Spread(60s);
    if (knobs_.OneIn(4)) knobs.clock_skew = Spread(20s);
    if (knobs_.OneIn(3)) knobs.pod_start = Spread(60s);
    if (knobs_.OneIn(2)) knobs.late = Spread(60s);
    knobs.heals = !knobs_.OneIn(3);
    knobs.first_in_first_out = knobs_.OneIn(2);
  }

  // As often below a second as above: log-uniform by halving.
  milliseconds Spread(milliseconds most) {
    milliseconds value = knobs_.Between(1ms, most);
    for (auto halvings = knobs_.Below(8); halvings > 0 && value > 1ms; --halvings) value /= 2;
    return value;
  }

  // ---- operations -------------------------------------------------------------------------------

  void InPeace() {
    const std::string& application = scenario_.applications.front().name;
    Add(0ms, Act::kApplyBackup, kBackups[0], {{"applicationRef", Reference(0)}});
    if (acts_.OneIn(4)) {  // its snapshots stay, and the second of that name makes its own
      Add(120s, Act::kDeleteBackup, kBackups[0], {});
      Add(150s, Act::kApplyBackup, kBackups[0], {{"applicationRef", Reference(0)}});
      return;
    }
    if (!acts_.OneIn(2)) return;
    json::object fields{{"backupRef", kBackups[0]}};
    if (IsStateful(application) || acts_.OneIn(2)) fields["strategy"] = "Replace";
    Add(120s, Act::kApplyRestore, kRestores[0], std::move(fields));
  }

  void MakeOperations() {
    enabled_ =
        acts_.Swarm<Act>({Act::kApplyBackup,   Act::kApplyBackup,       Act::kCancelBackup,
                          Act::kDeleteBackup,  Act::kApplyRestore,      Act::kApplyRestore,
                          Act::kDeleteRestore, Act::kAnnotate,          Act::kScale,
                          Act::kRoll,          Act::kDeleteApplication, Act::kCreateApplication,
                          Act::kDeletePod,     Act::kRestartContainer,  Act::kKillHooks,
                          Act::kNodeGone,      Act::kNodeSilent,        Act::kBreakDriver,
                          Act::kStallDriver,   Act::kNeverReady,        Act::kDeleteSnapshot,
                          Act::kDeleteContent, Act::kDeleteClaim});
    Add(0ms, Act::kApplyBackup, kBackups[0], BackupSpec());
    const bool crowded = acts_.OneIn(3);
    const milliseconds span = crowded ? 5s : (acts_.OneIn(2) ? 60s : 900s);
    for (auto count = acts_.Below(12); count > 0; --count) AddAny(acts_.Between(0ms, span));
  }

  void AddAny(milliseconds at) {
    const Act act = acts_.Pick(enabled_);
    switch (act) {
      case Act::kApplyBackup:
        return Add(at, act, acts_.Pick(kBackups), BackupSpec());
      case Act::kApplyRestore:
        return Add(at, act, acts_.Pick(kRestores), RestoreSpec());
      case Act::kCancelBackup:
      case Act::kDeleteBackup:
        return Add(at, act, acts_.Pick(kBackups), {});
      case Act::kAnnotate:
        return Add(at, act, acts_.Pick(kBackups), Storm());
      case Act::kDeleteSnapshot:
      case Act::kDeleteContent:
        return Add(at, act, acts_.Pick(kBackups), {{"index", acts_.Below(3)}});
      case Act::kDeleteRestore:
        return Add(at, act, acts_.Pick(kRestores), {});
      case Act::kScale:
        return Add(at, act, acts_.Pick(kApplications), {{"replicas", acts_.Below(4)}});
      case Act::kRoll:
      case Act::kDeleteApplication:
      case Act::kCreateApplication:
        return Add(at, act, acts_.Pick(kApplications), {});
      case Act::kDeletePod:
        return Add(at, act, acts_.Pick(kApplications), PodFields());
      case Act::kRestartContainer:
      case Act::kKillHooks:
      case Act::kDeleteClaim:
        return Add(at, act, acts_.Pick(kApplications), {{"index", acts_.Below(3)}});
      case Act::kNodeGone:
      case Act::kNodeSilent:
      case Act::kBreakDriver:
      case Act::kStallDriver:
      case Act::kNeverReady:
        return Add(at, act, "-", {{"for", DurationText(LongOrShort())}});
    }
  }

  void Add(milliseconds at, Act act, const std::string& object, json::object fields) {
    auto& operations = scenario_.operations;
    const auto place = std::ranges::upper_bound(operations, at, {}, &Operation::at);
    operations.insert(place, {.at = at, .act = act, .object = object, .fields = std::move(fields)});
  }

  json::object PodFields() {
    json::object fields{{"index", acts_.Below(3)}};
    if (acts_.OneIn(2)) fields["grace"] = "0s";
    return fields;
  }

  json::object Storm() {
    const auto times = acts_.OneIn(2) ? 1 : acts_.Between(2, 200);
    const milliseconds every = acts_.Between(1ms, 500ms);
    return {{"times", times}, {"every", DurationText(every)}};
  }

  milliseconds LongOrShort() {
    return acts_.OneIn(2) ? acts_.Between(10ms, 3s) : acts_.Between(5s, 300s);
  }

  bool IsStateful(const std::string& name) const {
    return std::ranges::any_of(scenario_.applications, [&](const Application& application) {
      return application.name == name && application.kind == WorkloadKind::kStatefulSet;
    });
  }

  std::string Reference(std::size_t index) const {
    const Application& application = scenario_.applications[index];
    const bool stateful = application.kind == WorkloadKind::kStatefulSet;
    return (stateful ? "statefulset/" : "deployment/") + application.name;
  }

  std::string AnyReference() {
    if (acts_.OneIn(10)) return "deployment/" + acts_.Pick(kApplications);
    return Reference(acts_.Below(scenario_.applications.size()));
  }

  json::object BackupSpec() {
    json::object spec;
    switch (acts_.Below(8)) {
      case 0:
        spec["selector"] = {{"matchLabels", {{"tier", acts_.OneIn(4) ? "none" : "app"}}}};
        break;
      case 1:
        spec["applicationRef"] = AnyReference();
        spec["claims"] = json::array{acts_.Pick(kApplications) + "-0"};
        break;
      default:
        spec["applicationRef"] = AnyReference();
        break;
    }
    if (acts_.OneIn(6)) spec["hooks"] = SpecHooks();
    if (acts_.OneIn(2)) spec["maxFreeze"] = MaxFreeze();
    if (acts_.OneIn(3)) spec["onInconsistent"] = "Keep";
    if (acts_.OneIn(3)) spec["deletionPolicy"] = "Delete";
    if (acts_.OneIn(4)) spec["readyTimeout"] = DurationText(acts_.Between(1s, 120s));
    if (acts_.OneIn(10)) spec["ttl"] = DurationText(acts_.Between(1s, 600s));
    if (acts_.OneIn(12)) spec["volumeSnapshotClassName"] = "absent";
    if (acts_.OneIn(12)) spec["cancel"] = true;
    return spec;
  }

  // Of every pod, or a different one for each application; more than one in a pod, too.
  json::array SpecHooks() {
    json::array hooks;
    for (auto count = 1 + acts_.Below(3); count > 0; --count) {
      hooks.push_back(SpecHook(fmt::format("hook{}", hooks.size())));
    }
    return hooks;
  }

  json::object SpecHook(const std::string& name) {
    json::object hook;
    const std::string takes = DurationText(acts_.OneIn(4) ? acts_.Between(1ms, 5s) : 5ms);
    if (acts_.OneIn(2)) {
      hook = {{"name", name}, {"mode", "Held"}, {"shell", "app-hold-slow " + takes}};
      if (acts_.OneIn(3)) hook["postShell"] = "app-thaw";
    } else {
      hook = {{"name", name}, {"shell", "app-freeze-slow " + takes}, {"postShell", "app-thaw"}};
    }
    if (acts_.OneIn(2)) hook["weight"] = acts_.Between(-1, 1);
    if (acts_.OneIn(2)) {
      const Application& application = acts_.Pick(scenario_.applications);
      hook["podSelector"] = {{"matchLabels", {{"app", application.name}}}};
    }
    return hook;
  }

  std::string MaxFreeze() {
    const milliseconds freeze = acts_.OneIn(2) ? acts_.Between(1s, 5s) : acts_.Between(5s, 600s);
    return DurationText(freeze);
  }

  json::object RestoreSpec() {
    json::object spec;
    if (acts_.OneIn(6)) {
      spec["source"] = {{"applicationRef", AnyReference()}, {"latest", true}};
    } else {
      spec["backupRef"] = acts_.Pick(kBackups);
    }
    switch (acts_.Below(4)) {
      case 0:
        spec["strategy"] = "ClaimsOnly";
        break;
      case 1:
        spec["strategy"] = "Replace";
        break;
      default:
        break;
    }
    if (acts_.OneIn(4)) spec["onFailure"] = "Leave";
    if (acts_.OneIn(3)) spec["oldClaims"] = "Delete";
    if (acts_.OneIn(3)) spec["rolloutTimeout"] = DurationText(acts_.Between(5s, 120s));
    if (acts_.OneIn(10)) spec["size"] = "1Mi";
    return spec;
  }

  const std::uint64_t seed_;
  const Trouble trouble_;
  Dice shape_;
  Dice knobs_;
  Dice probes_;
  Dice acts_;
  std::vector<Act> enabled_;
  Scenario scenario_;
};

}  // namespace

Trouble TroubleOf(std::uint64_t seed) {
  switch (seed % 10) {
    case 0:
      return Trouble::kPeace;
    case 1:
      return Trouble::kNoFault;
    case 2:
    case 3:
    case 4:
      return Trouble::kOneFault;
    case 5:
    case 6:
      return Trouble::kTwoFaults;
    default:
      return Trouble::kMany;
  }
}

Scenario Generate(std::uint64_t seed) {
  return Generator(seed).Run();
}

}  // namespace stillpoint::sim::run
