// The acts of BackupController that run hooks: a task each, beside the passes.
#include "controllers/backup_controller.h"
#include "hooks/guard.h"
#include "hooks/reap_script.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// A pre-hook without a guard that has timed out, or was stopped, is watched for so long.
constexpr auto kLongestHook = 1h;

// A container is asked so often, and waited for so long, whether it is still there after the cut.
constexpr auto kAnswerTimeout = 5s;
constexpr int kAnswerAttempts = 3;

// A thaw begins at the deadline at the latest; a prepared one is not kept for much longer.
constexpr auto kPreparedBeyondDeadline = 10s;

hooks::HookResult NotRun() {
  return {.ended = true, .error = "not run, as the freeze was given up"};
}

}  // namespace

void BackupController::Reserve(BackupSession& session, ReservePods pods) {
  session.holds_pods = !pods.pod_uids.empty();
  session.pod_uids = std::move(pods.pod_uids);
  session.writers = std::move(pods.writers);
  if (session.holds_pods) session.held_after_journal.reset();
}

// Pods in parallel; the hooks of one pod one after another, as they are listed.
void BackupController::StartPre(SessionPtr session, const std::vector<std::size_t>& targets) {
  std::map<std::string, std::vector<std::size_t>> by_pod;
  for (const std::size_t i : targets) {
    TargetView& known = session->targets[i];
    if (known.thaw.pre_hook_running || known.pre) continue;
    known.thaw.pre_hook_running = true;
    const api::FreezeTarget& target = session->object.status.freeze->targets[i];
    const bool held = target.mode == api::HookMode::kHeld;
    if (held) known.thaw.holder = hooks::HolderMemory{.running = true};
    by_pod[target.pod_uid].push_back(i);
  }
  for (auto& [uid, of_pod] : by_pod) {
    tasks_.Spawn("pre-hooks of a pod", RunPreOfPod(session, std::move(of_pod)));
  }
}

awaitable<void> BackupController::RunPreOfPod(SessionPtr session,
                                              std::vector<std::size_t> targets) {
  for (const std::size_t i : targets) {
    const bool held = session->object.status.freeze->targets[i].mode == api::HookMode::kHeld;
    co_await (held ? RunHold(session, i) : RunPre(session, i));
  }
}

hooks::HookRun BackupController::RunOf(const BackupSession& session, std::size_t index,
                                       api::HookPhase phase) const {
  const api::FreezeTarget& target = session.object.status.freeze->targets[index];
  const bool pre = phase == api::HookPhase::kPre;
  return {.ns = session.object.metadata.ns,
          .pod = target.pod,
          .pod_uid = target.pod_uid,
          .container = target.container,
          .argv = pre ? target.pre_command : target.post_command,
          .phase = phase,
          .timeout = target.timeout,
          .key = pre ? hooks::HookKey(session.object.metadata.uid, index) : std::string()};
}

// Asked once more before each hook: since the last one this process may have stood still, and lost
// the lead.
bool BackupController::MayFreeze(const BackupSession& session) const {
  return !session.stop->asked() && deps_.leads();
}

awaitable<void> BackupController::RunPre(SessionPtr session, std::size_t index) {
  hooks::HookRun run = RunOf(*session, index, api::HookPhase::kPre);
  run.stop = session->stop;
  hooks::FinishedRun finished;
  if (!MayFreeze(*session)) {
    finished.result = NotRun();
  } else if (run.argv.empty()) {
    finished.result = {.outcome = hooks::Outcome::kSucceeded, .ended = true};
  } else {
    finished = co_await hooks_.Run(std::move(run));
  }
  EndPre(*session, index, std::move(finished.result));
  if (!finished.still_running) co_return;
  const bool ended = co_await hooks_.AwaitEnd(std::move(finished.still_running), kLongestHook);
  if (ended) session->targets[index].thaw.pre_hook_ended_at = deps_.clock.Now();
  controller_.queue().Add(KeyOf(session->object.metadata));
}

void BackupController::EndPre(BackupSession& session, std::size_t index, hooks::HookResult result) {
  TargetView& known = session.targets[index];
  known.thaw.pre_hook_running = false;
  known.thaw.pre_hook_began = result.outcome != hooks::Outcome::kNotStarted;
  known.pre_ended_at = deps_.clock.Now();
  if (result.ended) known.thaw.pre_hook_ended_at = known.pre_ended_at;
  known.pre = std::move(result);
  controller_.queue().Add(KeyOf(session.object.metadata));
}

// Ends with the freeze; what holds it is watched beside the passes.
awaitable<void> BackupController::RunHold(SessionPtr session, std::size_t index) {
  if (!MayFreeze(*session)) {
    session->targets[index].thaw.holder.reset();
    co_return EndPre(*session, index, NotRun());
  }
  const api::FreezeStatus& journal = *session->object.status.freeze;
  const api::FreezeTarget& target = journal.targets[index];
  // One of a higher weight starts later, and must not stand still for longer than the first.
  const auto bound = std::chrono::ceil<api::Duration>(journal.deadline - deps_.clock.Now());
  auto held = std::make_unique<hooks::HeldSession>(
      deps_.exec, deps_.clock,
      hooks::HeldRun{.ns = session->object.metadata.ns,
                     .pod = target.pod,
                     .pod_uid = target.pod_uid,
                     .container = target.container,
                     .argv = target.pre_command,
                     .timeout = target.timeout,
                     .bound = std::max(bound, api::Duration{1}),
                     .key = hooks::HookKey(session->object.metadata.uid, index),
                     .stop = session->stop});
  hooks::HookResult result = co_await held->Freeze();
  if (result.Succeeded()) {
    tasks_.Spawn("held hook", WatchHolder(session, index, std::move(held)));
  } else {
    session->targets[index].thaw.holder = hooks::HolderMemory{.end = result};
  }
  EndPre(*session, index, std::move(result));
}

awaitable<void> BackupController::WatchHolder(SessionPtr session, std::size_t index,
                                              std::unique_ptr<hooks::HeldSession> held) {
  hooks::HookResult end = co_await held->AwaitEnd();
  TargetView& known = session->targets[index];
  known.thaw_ended_at = deps_.clock.Now();
  if (end.ended) known.thaw.pre_hook_ended_at = known.thaw_ended_at;
  known.thaw.holder->running = false;
  known.thaw.holder->end = std::move(end);
  controller_.queue().Add(KeyOf(session->object.metadata));
}

// Does nothing there, and tells that the container is there.
awaitable<hooks::HookResult> BackupController::AskForAnswer(SessionPtr session, std::size_t index) {
  hooks::HookRun run = RunOf(*session, index, api::HookPhase::kPre);
  run.argv = {hooks::IsShellForm(run.argv) ? run.argv[0] : "/bin/sh", "-c", ":"};
  run.timeout = kAnswerTimeout;
  run.key.clear();
  hooks::HookResult answer;
  for (int attempt = 0; attempt < kAnswerAttempts && !answer.ended; ++attempt) {
    answer = (co_await hooks_.Run(run)).result;
    if (answer.outcome == hooks::Outcome::kPodGone) break;
  }
  co_return answer;
}

void BackupController::Prepare(SessionPtr session, const std::vector<std::size_t>& targets) {
  const api::Time until = session->object.status.freeze->deadline + kPreparedBeyondDeadline;
  const auto longest = std::chrono::ceil<std::chrono::milliseconds>(until - deps_.clock.Now());
  session->prepared.resize(session->targets.size());
  for (const std::size_t i : targets) {
    if (std::exchange(session->targets[i].thaw_prepared, true)) continue;
    session->prepared[i] =
        hooks_.Prepare(deps_.executor, RunOf(*session, i, api::HookPhase::kPost));
    tasks_.Spawn("prepared thaw", KeepPrepared(session->prepared[i], longest));
  }
}

awaitable<void> BackupController::KeepPrepared(std::shared_ptr<hooks::PreparedRun> run,
                                               std::chrono::milliseconds longest) {
  co_await run->Keep(longest);
}

void BackupController::StartPost(SessionPtr session, const StartThaw& thaw) {
  if (!session->thaw_began) {
    session->thaw_began = true;
    session->cut_before_thaw = thaw.after_last_cut;
    session->stop->Ask();
  }
  for (const std::size_t i : thaw.targets) {
    hooks::ThawMemory& memory = session->targets[i].thaw;
    if (memory.holder && memory.holder->running) {
      memory.holder->asked = true;  // its own task asks it
      continue;
    }
    if (memory.running) continue;
    memory.running = true;
    tasks_.Spawn("thaw", RunPost(session, i));
  }
}

void BackupController::StartReaping(SessionPtr session, const std::vector<std::size_t>& targets) {
  for (const std::size_t i : targets) {
    if (std::exchange(session->targets[i].thaw.reap.running, true)) continue;
    tasks_.Spawn("reap", Reap(session, i));
  }
}

awaitable<void> BackupController::Reap(SessionPtr session, std::size_t index) {
  const api::Time started = deps_.clock.Now();
  hooks::HookRun run = RunOf(*session, index, api::HookPhase::kPre);
  run.argv = hooks::ReapArgv(run.argv[0], run.key);
  run.timeout = hooks::kReapTimeout;
  const hooks::FinishedRun finished = co_await hooks_.Run(std::move(run));
  const api::FreezeStatus& journal = *session->object.status.freeze;
  TargetView& known = session->targets[index];
  const api::Time ended = deps_.clock.Now();
  hooks::RememberReap(known.thaw, journal.targets[index], journal, finished.result, started, ended);
  if (known.thaw.pre_hook_ended_at && journal.targets[index].mode == api::HookMode::kHeld) {
    known.thaw_ended_at = ended;
  }
  controller_.queue().Add(KeyOf(session->object.metadata));
}

awaitable<void> BackupController::RunPost(SessionPtr session, std::size_t index) {
  const api::Time started = deps_.clock.Now();
  hooks::HookRun run = RunOf(*session, index, api::HookPhase::kPost);
  if (index < session->prepared.size()) run.prepared = std::move(session->prepared[index]);
  hooks::FinishedRun finished = co_await hooks_.Run(std::move(run));
  const api::Time ended = deps_.clock.Now();
  // It would thaw what the next backup has frozen.
  if (finished.again_until && finished.result.Succeeded()) {
    const auto left = *finished.again_until - deps_.clock.SteadyNow();
    co_await deps_.clock.Sleep(std::chrono::ceil<std::chrono::milliseconds>(left));
  }
  TargetView& known = session->targets[index];
  known.thaw_ended_at = ended;
  hooks::RememberThaw(known.thaw, finished.result, started, ended);
  controller_.queue().Add(KeyOf(session->object.metadata));
}

}  // namespace stillpoint::controllers
