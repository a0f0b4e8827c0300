#include "hooks/hook_plan.h"

#include "api/duration.h"
#include "api/labels.h"
#include "api/quote.h"
#include "hooks/guard.h"
#include "hooks/hook_annotations.h"
#include "hooks/session_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;

constexpr api::Duration kDefaultTimeout = 30s;
constexpr std::size_t kNamesShown = 5;

constexpr std::string_view kInvalid = "HookInvalid";
constexpr std::string_view kConflict = "HookConflict";
constexpr std::string_view kPostHookMissing = "PostHookMissing";
constexpr std::string_view kSessionLock = "SessionLockInOneShotHook";

std::string Listed(const std::vector<std::string>& names) {
  const auto shown = std::min(names.size(), kNamesShown);
  std::string text = fmt::format("{}", fmt::join(std::span(names).first(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

bool IgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// The same fault in many pods becomes one notice: its message is finished when all are known.
class Notices {
 public:
  void Add(std::string_view reason, std::string where, const std::string& pod, std::string text) {
    const auto same = std::ranges::find_if(notices_, [&](const HookNotice& notice) {
      return notice.reason == reason && notice.where == where && notice.message == text;
    });
    HookNotice& notice = same != notices_.end()
                             ? *same
                             : notices_.emplace_back(HookNotice{
                                   std::string(reason), std::move(where), {}, std::move(text)});
    const bool named = !notice.pods.empty() && notice.pods.back() == pod;
    if (!pod.empty() && !named) notice.pods.push_back(pod);
  }

  std::vector<HookNotice> Finish() && {
    for (HookNotice& notice : notices_) {
      if (notice.pods.empty()) continue;
      notice.message = fmt::format("{} {}: {}", notice.pods.size() == 1 ? "pod" : "pods",
                                   Listed(notice.pods), notice.message);
    }
    return std::move(notices_);
  }

 private:
  std::vector<HookNotice> notices_;
};

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
    draft.target.source = HookSource::kSpec;
    draft.container = hook.container;
    draft.where_container = at + ".container";
    draft.where_pre = hook.command.empty() ? at + ".shell" : at + ".command";
    draft.where_post = hook.post_command.empty() ? at + ".postShell" : at + ".postCommand";
    return draft;
  }

  // ---- annotations ----

  // Empty when there is no hook, or when something is wrong with it.
  std::optional<Draft> FromAnnotations(const PodFacts& pod, const Annotations& annotations,
                                       HookSource source) {
    const auto pre = FindPreHook(annotations);
    const auto post = FindPostHook(annotations);
    WarnOfConflict(pod, pre);
    WarnOfConflict(pod, post);
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
    draft->container = Value(annotations, kHookContainerKey);
    draft->where_container = kHookContainerKey;
    bool valid = ReadTimeout(pod, Value(annotations, kHookTimeoutKey), &draft->target.timeout);
    valid &= ReadOnError(pod, Value(annotations, kHookOnErrorKey), &draft->target.on_error);
    return valid;
  }

  bool ReadTimeout(const PodFacts& pod, const std::string& text, api::Duration* timeout) {
    *timeout = kDefaultTimeout;
    if (text.empty()) return true;
    const auto parsed = api::ParseDuration(text);
    if (parsed && *parsed > 0s) {
      *timeout = *parsed;
      return true;
    }
    Problem(std::string(kHookTimeoutKey), pod.name,
            fmt::format("{}: {}", kHookTimeoutKey,
                        parsed ? "must be longer than 0s" : parsed.error().message));
    return false;
  }

  bool ReadOnError(const PodFacts& pod, const std::string& text, api::OnError* on_error) {
    const bool go_on = IgnoringCase(text, "Continue");
    *on_error = go_on ? api::OnError::kContinue : api::OnError::kFail;
    if (go_on || text.empty() || IgnoringCase(text, "Fail")) return true;
    Problem(std::string(kHookOnErrorKey), pod.name,
            fmt::format("{}: {} is neither Fail nor Continue", kHookOnErrorKey, api::Quote(text)));
    return false;
  }

  static std::string Value(const Annotations& annotations, std::string_view key) {
    const auto found = annotations.find(std::string(key));
    return found == annotations.end() ? std::string() : found->second;
  }

  // ---- a pod ----

  void PlanPod(const PodFacts& pod) {
    bool by_spec = false;
    for (std::size_t i = 0; i < input_.spec_hooks.size(); ++i) {
      if (!Selects(input_.spec_hooks[i], pod)) continue;
      by_spec = true;
      Place(pod, FromSpec(i));
    }
    if (by_spec) return;
    const bool own = FindPreHook(pod.annotations) || FindPostHook(pod.annotations);
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
    target.guarded = IsShellForm(target.pre_command);
    target.session_lock = TakesSessionLock(target.pre_command);
    Warn(pod, draft);
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
                        pod.containers.empty() ? "none" : Listed(pod.containers)));
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
