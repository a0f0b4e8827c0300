#include "controllers/cut_watch.h"

#include "controllers/backup_names.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace stillpoint::controllers {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// Short, so that an unused watch ends soon; it is resumed where it ended while it is used.
constexpr std::chrono::seconds kLifetime{60};

}  // namespace

CutWatch::CutWatch(boost::asio::any_io_executor executor, kube::Client& client, kube::Clock& clock,
                   kube::LogFn log, std::function<void(const std::string&)> on_change)
    : client_(client),
      clock_(clock),
      log_(log),
      on_change_(std::move(on_change)),
      tasks_(std::move(executor), std::move(log)) {}

CutWatch::~CutWatch() = default;

CutWatch::Use::Use(CutWatch& watch) : watch_(watch) {
  ++watch_.uses_;
  if (watch_.running_) return;
  watch_.running_ = true;
  watch_.tasks_.Spawn("watch of snapshot contents", watch_.Run());
}

CutWatch::Use::~Use() {
  if (--watch_.uses_ == 0) watch_.facts_.clear();
}

const ContentFacts* CutWatch::Find(const std::string& snapshot_uid) const {
  const auto found = facts_.find(snapshot_uid);
  return found == facts_.end() ? nullptr : &found->second;
}

awaitable<api::Result<void>> CutWatch::Read(std::string snapshot_uid) {
  auto content =
      co_await kube::Get<api::VolumeSnapshotContent>(client_, {"", ContentName(snapshot_uid)});
  if (!content) {
    if (content.error().code == api::Code::kNotFound) co_return api::Result<void>();
    co_return content.error();
  }
  Keep(*content);
  co_return api::Result<void>();
}

awaitable<void> CutWatch::Stop() {
  return tasks_.Stop();
}

awaitable<void> CutWatch::Run() {
  while (uses_ > 0) {
    auto done = co_await WatchOnce();
    if (done) {
      problem_.reset();
      co_await clock_.Sleep(20ms);  // a server that ends every stream at once must not make us spin
      continue;
    }
    const api::Error error = std::move(done.error());
    if (error.code == api::Code::kExpired) resource_version_.clear();
    if (error.code == api::Code::kForbidden || error.code == api::Code::kNotFound) {
      if (!problem_) {
        log_(kube::Severity::kWarning,
             fmt::format("cuts are seen late, by VolumeSnapshot.status only: {}", error.message));
      }
      problem_ = error;
    }
    co_await clock_.Sleep(problem_ ? 10s : std::chrono::milliseconds(200));
  }
  running_ = false;
  resource_version_.clear();
}

// One stream, from where the last one ended; the first from now.
awaitable<api::Result<void>> CutWatch::WatchOnce() {
  if (resource_version_.empty()) {
    auto list = co_await client_.Do(
        {.verb = kube::Verb::kList, .resource = api::VolumeSnapshotContent::kResource, .limit = 1});
    if (!list) co_return list.error();
    auto page = kube::internal::ParseListPage(std::move(*list));
    if (!page) co_return page.error();
    resource_version_ = std::move(page->resource_version);
  }
  auto stream = co_await client_.Watch({.resource = api::VolumeSnapshotContent::kResource,
                                        .resource_version = resource_version_,
                                        .lifetime = kLifetime});
  if (!stream) co_return stream.error();
  for (;;) {
    auto event = co_await (*stream)->Next();
    if (!event) {
      if (event.error().code == api::Code::kUnavailable) co_return api::Result<void>();
      co_return event.error();
    }
    auto content = api::Decode<api::VolumeSnapshotContent>(*event->object);
    if (!content) {
      log_(kube::Severity::kWarning,
           fmt::format("a VolumeSnapshotContent cannot be read: {}", content.error().message));
      continue;
    }
    resource_version_ = content->metadata.resource_version;
    if (event->type == kube::WatchEvent::Type::kBookmark) continue;
    if (uses_ > 0) Keep(*content);
  }
}

void CutWatch::Keep(const api::VolumeSnapshotContent& content) {
  const std::string& uid = content.spec.volume_snapshot_ref.uid;
  if (uid.empty()) return;
  ContentFacts facts{.name = content.metadata.name,
                     .source_volume_handle = content.spec.source.volume_handle};
  const api::VolumeSnapshotContentStatus& status = content.status;
  facts.handle = status.snapshot_handle;
  facts.cut = !facts.handle.empty() && status.creation_time.value_or(0) > 0;
  facts.ready = status.ready_to_use.value_or(false);
  if (status.restore_size) facts.restore_size = fmt::format("{}", *status.restore_size);
  if (status.error) facts.error = status.error->message;
  facts_[uid] = std::move(facts);
  on_change_(uid);
}

}  // namespace stillpoint::controllers
