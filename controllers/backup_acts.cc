// The acts of BackupController: one API call or one exec each, no decisions.
#include "controllers/backup_controller.h"

#include "api/type.h"
#include "controllers/backup_names.h"
#include "controllers/backup_reader.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

// After so many failures to look at the pods the verdict is given without that look, as Crash.
constexpr int kRecheckAttempts = 5;

// An API server that has just started knows no roles yet and forbids everything.
constexpr auto kForbiddenPatience = 10s;

const api::Error* Refusal(const ResolveFacts& facts) {
  for (const auto* error : {&facts.workload_error, &facts.classes_error}) {
    if (*error && (*error)->code == api::Code::kForbidden) return &**error;
  }
  return nullptr;
}

// Names the very object, in the very version that the plan has seen: a lost race is a conflict.
json::object Identity(const api::VolumeBackup& backup) {
  return {{"apiVersion", api::ApiVersion(api::VolumeBackup::kResource)},
          {"kind", "VolumeBackup"},
          {"metadata",
           {{"name", backup.metadata.name},
            {"namespace", backup.metadata.ns},
            {"uid", backup.metadata.uid},
            {"resourceVersion", backup.metadata.resource_version}}}};
}

}  // namespace

BackupController::Async<> BackupController::Act(SessionPtr session, BackupAction action) {
  if (const auto* a = std::get_if<WriteStatus>(&action)) {
    co_return co_await Write(std::move(session), a->status);
  }
  if (std::holds_alternative<AddFinalizer>(action)) {
    co_return co_await SetFinalizer(std::move(session), true);
  }
  if (std::holds_alternative<RemoveFinalizer>(action)) {
    co_return co_await SetFinalizer(std::move(session), false);
  }
  if (std::holds_alternative<LookAtBackup>(action)) {
    session->looked_at = deps_.clock.Now();
    co_await LookAgain(std::move(session));
    co_return api::Result<void>();
  }
  if (std::holds_alternative<ReadFacts>(action)) co_return co_await Read(std::move(session));
  if (std::holds_alternative<AskRestores>(action)) {
    co_return co_await AskForRestores(std::move(session));
  }
  if (auto* a = std::get_if<RecheckGroup>(&action)) {
    co_return co_await Recheck(std::move(session), std::move(a->ask));
  }
  if (const auto* a = std::get_if<ReadContents>(&action)) {
    co_return co_await ReadSnapshotContents(std::move(session), a->volumes);
  }
  if (const auto* a = std::get_if<DeleteSnapshots>(&action)) {
    co_return co_await Delete(std::move(session), a->volumes);
  }
  if (const auto* a = std::get_if<ReleaseSnapshots>(&action)) {
    co_return co_await Release(std::move(session), a->volumes);
  }
  if (std::holds_alternative<DeleteBackup>(action)) co_return co_await Expire(std::move(session));
  if (auto* a = std::get_if<ReservePods>(&action)) Reserve(*session, std::move(*a));
  if (const auto* a = std::get_if<StartPreHooks>(&action)) StartPre(session, a->targets);
  if (const auto* a = std::get_if<PrepareThaw>(&action)) Prepare(session, a->targets);
  if (const auto* a = std::get_if<StartThaw>(&action)) StartPost(session, *a);
  if (const auto* a = std::get_if<StartReap>(&action)) StartReaping(session, a->targets);
  if (const auto* a = std::get_if<CreateSnapshots>(&action)) StartCreates(session, a->volumes);
  if (const auto* a = std::get_if<AskSnapshots>(&action)) StartAsking(session, a->volumes);
  if (const auto* a = std::get_if<EmitEvent>(&action)) Notify(session->object, *a);
  co_return api::Result<void>();
}

// ---- writes of our own object -----------------------------------------------------------------

BackupController::Async<> BackupController::Write(SessionPtr session,
                                                  api::VolumeBackupStatus status) {
  json::object body = Identity(session->object);
  body["status"] = api::Encode(status);
  auto answer =
      co_await kube::DoAs<api::VolumeBackup>(deps_.client, {.verb = kube::Verb::kApply,
                                                            .ns = session->object.metadata.ns,
                                                            .name = session->object.metadata.name,
                                                            .subresource = "status",
                                                            .body = std::move(body),
                                                            .force = true});
  if (answer) {
    deps_.log(kube::Severity::kInfo,
              fmt::format("backup={}/{} phase={} reason={}", session->object.metadata.ns,
                          session->object.metadata.name, api::EnumText(answer->status.phase),
                          answer->status.reason));
  }
  co_return co_await Adopt(std::move(session), std::move(answer));
}

BackupController::Async<> BackupController::SetFinalizer(SessionPtr session, bool wanted) {
  const api::VolumeBackup& backup = session->object;
  json::array finalizers;
  for (const std::string& finalizer : backup.metadata.finalizers) {
    if (finalizer != kBackupFinalizer) finalizers.emplace_back(finalizer);
  }
  if (wanted) finalizers.emplace_back(kBackupFinalizer);
  auto answer = co_await kube::DoAs<api::VolumeBackup>(
      deps_.client, {.verb = kube::Verb::kMergePatch,
                     .ns = backup.metadata.ns,
                     .name = backup.metadata.name,
                     .body = json::object{{"metadata",
                                           {{"uid", backup.metadata.uid},
                                            {"resourceVersion", backup.metadata.resource_version},
                                            {"finalizers", std::move(finalizers)}}}}});
  if (!answer && answer.error().code == api::Code::kNotFound) co_return api::Result<void>();
  co_return co_await Adopt(std::move(session), std::move(answer));
}

// Only the version that was judged: since then somebody may have given it more time, or said what
// is to become of its snapshots.
BackupController::Async<> BackupController::Expire(SessionPtr session) {
  const api::ObjectMeta& judged = session->object.metadata;
  auto answer =
      co_await deps_.client.Do({.verb = kube::Verb::kDelete,
                                .resource = api::VolumeBackup::kResource,
                                .ns = judged.ns,
                                .name = judged.name,
                                .precondition_uid = judged.uid,
                                .precondition_resource_version = judged.resource_version});
  if (answer || answer.error().code == api::Code::kNotFound) co_return api::Result<void>();
  co_return answer.error();
}

// Our own write is what the next pass must see.
BackupController::Async<> BackupController::Adopt(SessionPtr session,
                                                  api::Result<api::VolumeBackup> answer) {
  if (!answer) co_return answer.error();
  const std::string read_version = session->object.metadata.resource_version;
  session->object = *answer;
  if (answer->status.freeze) session->targets.resize(answer->status.freeze->targets.size());
  session->snapshots.resize(answer->status.volumes.size());
  deps_.backups.Observe(std::move(*answer), read_version);
  co_return api::Result<void>();
}

// ---- reads ------------------------------------------------------------------------------------

// Somebody has written meanwhile, and it may have been we ourselves, if that answer was lost. The
// watch may be late with the news, and until then every write would be another conflict.
awaitable<void> BackupController::LookAgain(SessionPtr session) {
  const api::ObjectMeta read = session->object.metadata;
  auto now = co_await kube::Get<api::VolumeBackup>(deps_.client, KeyOf(read));
  if (!now || now->metadata.uid != read.uid) co_return;
  deps_.backups.Observe(std::move(*now), read.resource_version);
}

BackupController::Async<> BackupController::Read(SessionPtr session) {
  // Opened now, so that it runs when the first snapshot is made.
  if (!session->cut_watch) session->cut_watch = std::make_unique<CutWatch::Use>(cuts_);
  auto facts = co_await ReadResolveFacts(deps_.client, session->object);
  if (!facts) co_return facts.error();
  if (const api::Error* refusal = Refusal(*facts)) {
    if (!session->forbidden_since) session->forbidden_since = deps_.clock.Now();
    if (deps_.clock.Now() - *session->forbidden_since < kForbiddenPatience) co_return *refusal;
  }
  session->forbidden_since.reset();
  session->facts = std::move(*facts);
  session->facts_read_at = deps_.clock.Now();
  co_return api::Result<void>();
}

BackupController::Async<> BackupController::Recheck(SessionPtr session,
                                                    std::vector<std::size_t> ask) {
  // First: what the pods' status says must not be older than the answers.
  std::map<std::size_t, hooks::HookResult> answers;
  for (const std::size_t i : ask) answers[i] = co_await AskForAnswer(session, i);
  auto group =
      co_await ReadGroup(deps_.client, session->object, session->facts.value_or(ResolveFacts()));
  if (!group && ++session->recheck_failures < kRecheckAttempts) co_return group.error();
  session->recheck = group ? std::move(*group) : GroupRecheck{.error = group.error().message};
  session->recheck->answers = std::move(answers);
  controller_.queue().Add(KeyOf(session->object.metadata));
  co_return api::Result<void>();
}

void BackupController::Notify(const api::VolumeBackup& backup, const EmitEvent& event) {
  deps_.events.Record({.type = event.warning ? kube::EventType::kWarning : kube::EventType::kNormal,
                       .regarding = kube::ReferenceTo(backup),
                       .reason = event.reason,
                       .action = event.action,
                       .note = event.note});
}

}  // namespace stillpoint::controllers
