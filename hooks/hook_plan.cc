#include "hooks/hook_plan.h"

#include "api/labels.h"
#include "api/quote.h"
#include "api/words.h"
#include "hooks/guard.h"
#include "hooks/hold_script.h"
#include "hooks/hook_annotations.h"
#include "hooks/hook_notices.h"
#include "hooks/profile.h"
#include "hooks/session_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;

constexpr api::Duration kDefaultTimeout = 30s;

constexpr std::string_view kInvalid = "HookInvalid";
constexpr std::string_view kConflict = "HookConflict";
constexpr std::string_view kPostHookMissing = "PostHookMissing";
constexpr std::string_view kSessionLock = "SessionLockInOneShotHook";

// A hook as it was written, before it is put into a container of a pod.
struct Draft {
  HookTarget target;      // without pod, container
  std::string container;  // asked for; empty: the default
  std::string where_container;
  std::string where_pre;
  std::string where_post;
};

class Planner {
 public:
  explicit Planner(const HookInput& input) : input_(input) {}

  HookPlan Run() && {
    CheckSpec();
    for (const PodFacts& pod : input_.pods) PlanPod(pod);
    return {std::move(targets_), std::move(problems_).Finish(), std::move(warnings_).Finish()};
  }

 private:
  void Problem(std::string where, const std::string& pod, std::string text) {
    problems_.Add(kInvalid, std::move(where), pod, std::move(text));
  }

  // ---- spec.hooks ----

  void CheckSpec() {
    for (std::size_t i = 0; i < input_.spec_hooks.size(); ++i) {
      CheckSpecHook(input_.spec_hooks[i], fmt::format("spec.hooks[{}]", i));
    }
  }

  void CheckSpecHook(const api::HookSpec& hook, const std::string& at) {
    const auto refuse = [&](const std::string& where, std::string_view text) {
      Problem(where, {}, fmt::format("{}: {}", where, text));
    };
    if (!hook.command.empty() && !hook.shell.empty()) {
      refuse(at, "command and shell are both there; keep one");
    }
    if (!hook.post_command.empty() && !hook.post_shell.empty()) {
      refuse(at, "postCommand and postShell are both there; keep one");
    }
    if (SpecArgv(hook.command, hook.shell).empty() &&
        SpecArgv(hook.post_command, hook.post_shell).empty()) {
      refuse(at, "has no hook: set command or shell, and postCommand or postShell");
    }
    if (hook.mode == api::HookMode::kHeld && SpecArgv(hook.command, hook.shell).empty()) {
      refuse(at, "mode Held needs command or shell");
    }
    if (hook.timeout && *hook.timeout <= 0s) {
      refuse(at + ".timeout", "must be longer than 0s");
    }
    const bool selects =
        std::ranges::any_of(input_.pods, [&](const PodFacts& pod) { return Selects(hook, pod); });
    if (!selects) {
      refuse(at + ".podSelector",
             fmt::format("selects none of the {} pods of the application", input_.pods.size()));
    }
  }

  static bool Selects(const api::HookSpec& hook, const PodFacts& pod) {
    return !hook.pod_selector || api::Matches(*hook.pod_selector, pod.labels);
  }

  static std::vector<std::string> SpecArgv(const std::vector<std::string>& command,
                                           const std::string& shell) {
    if (!command.empty() || shell.empty()) return command;
    return {"/bin/sh", "-c", shell};
  }

  Draft FromSpec(std::size_t index) const {
    const api::HookSpec& hook = input_.spec_hooks[index];
    const std::string at = fmt::format("spec.hooks[{}]", index);
    Draft draft;
    draft.target.hook = hook.name.empty() ? at : hook.name;
    draft.target.pre_command = SpecArgv(hook.command, hook.shell);
    draft.target.post_command = SpecArgv(hook.post_command, hook.post_shell);
    draft.target.timeout = hook.timeout.value_or(kDefaultTimeout);
    draft.target.on_error = hook.on_error;
    draft.target.weight = hook.weight;
    if (hook.mode == api::HookMode::kHeld) MakeHeld(&draft.target);
    draft.target.source = HookSource::kSpec;
    draft.container = hook.container;
    draft.where_container = at + ".container";
    draft.where_pre = hook.command.empty() ? at + ".shell" : at + ".command";
    draft.where_post = hook.post_command.empty() ? at + ".postShell" : at + ".postCommand";
    return draft;
  }

  // A held hook runs under a script: a program and its arguments become a text for it.
  static void MakeHeld(HookTarget* target) {
    if (target->pre_command.empty()) return;  // said by CheckSpec
    target->mode = api::HookMode::kHeld;
    const auto& argv = target->pre_command;
    if (!IsShellForm(argv)) {
      target->pre_command = {"/bin/sh", "-c", "exec " + ShellQuoted(argv)};
    }
  }

  // ---- profiles ----

  // `named_at` is where the name stands.
  std::optional<Draft> FromProfile(const PodFacts& pod, const std::string& name,
                                   std::string_view named_at, std::string path,
                                   const Annotations& settings, HookSource source) {
    const Profile* profile = FindProfile(name);
    if (profile == nullptr) {
      Problem(std::string(named_at), pod.name,
              fmt::format("{}: there is no profile {}; there are {}", named_at, api::Quote(name),
                          fmt::join(api::kQuiesceProfiles, ", ")));
      return std::nullopt;
    }
    Draft draft;
    bool valid = ReadSettings(pod, settings, &draft);
    if (path.empty()) path = Value(settings, kQuiescePathKey);
    if (!profile->path.empty() && !path.starts_with('/')) {
      Problem(std::string(kQuiescePathKey), pod.name,
              fmt::format("{}: {} needs {} as an absolute path, in {} or in spec.quiescePath",
                          named_at, profile->name, profile->path, kQuiescePathKey));
      valid = false;
    }
    if (!valid) return std::nullopt;
    const auto timeout = std::min(draft.target.timeout, input_.max_freeze);
    const ProfileCommands commands = profile->make({.path = std::move(path), .timeout = timeout});
    draft.target.pre_command = {"/bin/sh", "-c", commands.hold};
    if (!commands.thaw.empty()) draft.target.post_command = {"/bin/sh", "-c", commands.thaw};
    draft.target.mode = api::HookMode::kHeld;
    draft.target.hook = named_at;
    draft.target.source = source;
    draft.where_pre = draft.where_post = named_at;
    return draft;
  }

  // ---- annotations ----

  // Those of the pod, completed by those of its workload.
  Annotations Completed(const PodFacts& pod) const {
    Annotations all = pod.annotations;
    all.insert(input_.workload_annotations.begin(), input_.workload_annotations.end());
    return all;
  }

  // Empty when there is no hook, or when something is wrong with it.
  std::optional<Draft> FromAnnotations(const PodFacts& pod, const Annotations& annotations,
                                       HookSource source) {
    const auto pre = FindPreHook(annotations);
    const auto post = FindPostHook(annotations);
    WarnOfConflict(pod, pre);
    WarnOfConflict(pod, post);
    const std::string hold = Value(annotations, kHoldHookKey);
    const std::string quiesce = Value(annotations, kQuiesceKey);
    if (!OnlyOne(pod, annotations, pre)) return std::nullopt;
    if (!quiesce.empty()) {
      return FromProfile(pod, quiesce, kQuiesceKey, {}, annotations, source);
    }
    if (!hold.empty()) return FromHold(pod, hold, post, annotations, source);
    Draft draft;
    bool valid = ReadCommand(pod, pre, &draft.target.pre_command);
    valid &= ReadCommand(pod, post, &draft.target.post_command);
    if (draft.target.pre_command.empty() && draft.target.post_command.empty()) return std::nullopt;
    valid &= ReadSettings(pod, annotations, &draft);
    if (!valid) return std::nullopt;
    draft.where_pre = pre ? pre->key : "backups.example.com/pre-hook";
    draft.where_post = post ? post->key : "backups.example.com/post-hook";
    draft.target.hook = draft.target.pre_command.empty() ? draft.where_post : draft.where_pre;
    draft.target.source = source;
    return draft;
  }

  std::optional<Draft> FromHold(const PodFacts& pod, const std::string& text,
                                const std::optional<AnnotatedHook>& post,
                                const Annotations& annotations, HookSource source) {
    Draft draft;
    const AnnotatedHook hold{std::string(kHoldHookKey), text, {}};
    bool valid = ReadCommand(pod, hold, &draft.target.pre_command);
    valid &= ReadCommand(pod, post, &draft.target.post_command);
    valid &= ReadSettings(pod, annotations, &draft);
    if (!valid || draft.target.pre_command.empty()) return std::nullopt;
    MakeHeld(&draft.target);
    draft.where_pre = hold.key;
    draft.where_post = post ? post->key : "backups.example.com/post-hook";
    draft.target.hook = hold.key;
    draft.target.source = source;
    return draft;
  }

  // A pod is frozen in one way. A post-hook beside a held hook is no other way.
  bool OnlyOne(const PodFacts& pod, const Annotations& annotations,
               const std::optional<AnnotatedHook>& pre) {
    std::vector<std::string> ways;
    for (const std::string_view key : {kQuiesceKey, kHoldHookKey}) {
      if (!Value(annotations, key).empty()) ways.emplace_back(key);
    }
    if (pre && !pre->value.empty()) ways.push_back(pre->key);
    if (ways.size() < 2) return true;
    Problem(ways.front(), pod.name,
            fmt::format("{} are both there; keep one", fmt::join(ways, " and ")));
    return false;
  }

  void WarnOfConflict(const PodFacts& pod, const std::optional<AnnotatedHook>& hook) {
    if (!hook || hook->conflicting.empty()) return;
    warnings_.Add(kConflict, hook->key, pod.name,
                  fmt::format("{} says something else than {}, and wins; keep one of them",
                              hook->key, fmt::join(hook->conflicting, " and ")));
  }

  bool ReadCommand(const PodFacts& pod, const std::optional<AnnotatedHook>& hook,
                   std::vector<std::string>* argv) {
    if (!hook) return true;
    auto parsed = ParseHookCommand(hook->key, hook->value);
    if (!parsed) {
      Problem(hook->key, pod.name, parsed.error().message);
      return false;
    }
    *argv = std::move(*parsed);
    return true;
  }

  bool ReadSettings(const PodFacts& pod, const Annotations& annotations, Draft* draft) {
    HookSettings settings = ReadHookSettings(annotations);
    draft->container = std::move(settings.container);
    draft->where_container = kHookContainerKey;
    draft->target.timeout = settings.timeout.value_or(kDefaultTimeout);
    draft->target.on_error = settings.on_error;
    draft->target.weight = settings.weight;
    for (auto& [key, message] : settings.problems) Problem(key, pod.name, std::move(message));
    return settings.problems.empty();
  }

  static std::string Value(const Annotations& annotations, std::string_view key) {
    const auto found = annotations.find(std::string(key));
    return found == annotations.end() ? std::string() : found->second;
  }

  // ---- a pod ----

  void PlanPod(const PodFacts& pod) {
    for (const std::string& key : UnknownHookKeys(pod.annotations)) {
      warnings_.Add(kInvalid, key, pod.name,
                    fmt::format("{} is no annotation that Stillpoint knows: it does nothing", key));
    }
    if (!input_.quiesce.empty()) {
      auto draft = FromProfile(pod, input_.quiesce, "spec.quiesce", input_.quiesce_path,
                               Completed(pod), HookSource::kSpec);
      if (draft) Place(pod, std::move(*draft));
      return;
    }
    bool by_spec = false;
    for (std::size_t i = 0; i < input_.spec_hooks.size(); ++i) {
      if (!Selects(input_.spec_hooks[i], pod)) continue;
      by_spec = true;
      Place(pod, FromSpec(i));
    }
    if (by_spec) return;
    const bool own = NamesHooks(pod.annotations);
    auto draft = own ? FromAnnotations(pod, pod.annotations, HookSource::kPod)
                     : FromAnnotations(pod, input_.workload_annotations, HookSource::kWorkload);
    if (draft) Place(pod, std::move(*draft));
  }

  void Place(const PodFacts& pod, Draft draft) {
    HookTarget& target = draft.target;
    if (target.pre_command.empty() && target.post_command.empty()) return;  // said by CheckSpec
    auto container = ChooseContainer(pod, draft);
    if (!container) return;
    target.pod = pod.name;
    target.pod_uid = pod.uid;
    target.container = std::move(*container);
    target.timeout = std::min(target.timeout, input_.max_freeze);
    if (target.mode == api::HookMode::kCommand) {
      target.guarded = IsShellForm(target.pre_command);
      target.session_lock = TakesSessionLock(target.pre_command);
      Warn(pod, draft);
    }
    targets_.push_back(std::move(target));
  }

  std::optional<std::string> ChooseContainer(const PodFacts& pod, const Draft& draft) {
    std::string where = draft.where_container;
    std::string wanted = draft.container;
    if (wanted.empty()) {
      where = kDefaultContainerKey;
      wanted = Value(pod.annotations, kDefaultContainerKey);
    }
    if (wanted.empty() && !pod.containers.empty()) return pod.containers.front();
    if (std::ranges::find(pod.containers, wanted) != pod.containers.end()) return wanted;
    Problem(where, pod.name,
            fmt::format("{}: there is no container {}; it has {}", where, api::Quote(wanted),
                        pod.containers.empty() ? "none" : api::Listed(pod.containers)));
    return std::nullopt;
  }

  void Warn(const PodFacts& pod, const Draft& draft) {
    const HookTarget& target = draft.target;
    if (target.post_command.empty()) {
      warnings_.Add(kPostHookMissing, draft.where_post, pod.name,
                    fmt::format("{} has no post-hook: nothing would thaw container {}; add {}",
                                draft.where_pre, target.container, draft.where_post));
    } else if (target.pre_command.empty()) {
      warnings_.Add(kInvalid, draft.where_pre, pod.name,
                    fmt::format("{} has no pre-hook: container {} is thawed but never frozen",
                                draft.where_post, target.container));
    }
    if (target.session_lock) {
      warnings_.Add(
          kSessionLock, draft.where_pre, pod.name,
          fmt::format("{} takes a database lock in a client that then ends, and the lock ends with "
                      "it, before the volumes are cut: the backup is Crash, not Application; keep "
                      "the client open in the background until the post-hook, or freeze what "
                      "outlives it (fsfreeze, a flag file, a REST call)",
                      draft.where_pre));
    }
  }

  const HookInput& input_;
  std::vector<HookTarget> targets_;
  Notices problems_;
  Notices warnings_;
};

}  // namespace

HookPlan PlanHooks(const HookInput& input) {
  return Planner(input).Run();
}

}  // namespace stillpoint::hooks
