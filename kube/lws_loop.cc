#include "kube/lws_loop.h"

#include <fmt/format.h>
#include <libwebsockets.h>
#include <boost/asio/post.hpp>

#include <deque>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kMaxConnections = 1000;  // sizes its tables, else by RLIMIT_NOFILE
constexpr unsigned kFarAwaySeconds = 600;   // deadlines are the caller's; this one never matters

}  // namespace

class LwsLoop::Thread {
 public:
  Thread(asio::any_io_executor executor, std::unique_ptr<TlsClientContext> tls,
         LwsKeepalive keepalive, LogFn log);
  ~Thread();

  // Any thread: has `command` run on the thread of libwebsockets, soon and in order.
  void Post(std::function<void()> command);

  // The thread of libwebsockets.
  void Connect(Id id, LwsTarget target, std::shared_ptr<LwsStream> stream);
  void WriteStdin(Id id, std::string_view data);
  void CloseStdin(Id id);
  void Close(Id id);

 private:
  static void Emit(int level, const char* line);
  static thread_local Thread* current_;

  void Run(std::promise<bool> started);
  lws_context* CreateContext();
  bool RunCommands();

  // Constant after construction.
  const asio::any_io_executor executor_;
  const std::shared_ptr<const LogFn> log_;
  const lws_retry_bo_t keepalive_;

  // Shared: guarded by the mutex.
  std::mutex mutex_;
  std::deque<std::function<void()>> commands_;
  bool stopping_ = false;

  // Owned by the thread of libwebsockets. Others use context_ to wake it, holding the mutex.
  const std::unique_ptr<TlsClientContext> tls_;
  lws_context* context_ = nullptr;
  std::map<Id, LwsLink> links_;

  std::jthread thread_;  // last: it uses all the others
};

thread_local LwsLoop::Thread* LwsLoop::Thread::current_ = nullptr;

LwsLoop::Thread::Thread(asio::any_io_executor executor, std::unique_ptr<TlsClientContext> tls,
                        LwsKeepalive keepalive, LogFn log)
    : executor_(std::move(executor)),
      log_(std::make_shared<const LogFn>(std::move(log))),
      keepalive_{.secs_since_valid_ping = static_cast<std::uint16_t>(keepalive.ping.count()),
                 .secs_since_valid_hangup = static_cast<std::uint16_t>(keepalive.hang_up.count())},
      tls_(std::move(tls)) {
  std::promise<bool> started;
  auto result = started.get_future();
  thread_ = std::jthread([this](std::promise<bool> promise) { Run(std::move(promise)); },
                         std::move(started));
  if (!result.get()) throw std::runtime_error("libwebsockets: no context");
}

LwsLoop::Thread::~Thread() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  lws_cancel_service(context_);
}

// The mutex is held while waking, or the context could be destroyed in between.
void LwsLoop::Thread::Post(std::function<void()> command) {
  const std::scoped_lock lock(mutex_);
  commands_.push_back(std::move(command));
  lws_cancel_service(context_);
}

void LwsLoop::Thread::Run(std::promise<bool> started) {
  current_ = this;
  context_ = CreateContext();
  started.set_value(context_ != nullptr);
  if (!context_) return;
  while (RunCommands()) lws_service(context_, 0);
  links_.clear();
  lws_context_destroy(context_);
}

lws_context* LwsLoop::Thread::CreateContext() {
  static const bool logging = [] {
    lws_set_log_level(LLL_ERR, &Thread::Emit);
    return true;
  }();
  static_cast<void>(logging);
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = LwsLink::Protocols();
  info.http_proxy_address = kLwsNoProxy;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.provided_client_ssl_ctx = tls_->native();
  info.pt_serv_buf_size = kLwsBufferSize;
  info.fd_limit_per_thread = kMaxConnections;
  info.timeout_secs = kFarAwaySeconds;
  info.connect_timeout_secs = kFarAwaySeconds;
  info.gid = info.uid = static_cast<decltype(info.uid)>(-1);
  return lws_create_context(&info);
}

// False when it is time to go.
bool LwsLoop::Thread::RunCommands() {
  std::unique_lock lock(mutex_);
  auto commands = std::exchange(commands_, {});
  const bool stopping = stopping_;
  lock.unlock();
  for (const auto& command : commands) command();
  return !stopping;
}

void LwsLoop::Thread::Emit(int, const char* line) {
  if (!current_) return;
  std::string text = fmt::format("libwebsockets: {}", line);
  while (text.ends_with('\n')) text.pop_back();
  asio::post(current_->executor_, [weak = std::weak_ptr(current_->log_), text = std::move(text)] {
    if (auto log = weak.lock()) (*log)(Severity::kWarning, text);
  });
}

void LwsLoop::Thread::Connect(Id id, LwsTarget target, std::shared_ptr<LwsStream> stream) {
  const auto [link, added] = links_.try_emplace(id, std::move(target), std::move(stream), *tls_,
                                                [this, id] { links_.erase(id); });
  if (link->second.Connect(context_, &keepalive_)) return;
  // It may or may not have told the callback.
  if (auto it = links_.find(id); it != links_.end()) it->second.FailToConnect();
}

void LwsLoop::Thread::WriteStdin(Id id, std::string_view data) {
  if (auto it = links_.find(id); it != links_.end()) it->second.WriteStdin(data);
}

void LwsLoop::Thread::CloseStdin(Id id) {
  if (auto it = links_.find(id); it != links_.end()) it->second.CloseStdin();
}

void LwsLoop::Thread::Close(Id id) {
  if (auto it = links_.find(id); it != links_.end()) it->second.Close();
}

LwsLoop::LwsLoop(asio::any_io_executor executor, std::unique_ptr<TlsClientContext> tls,
                 LwsKeepalive keepalive, LogFn log)
    : thread_(std::make_unique<Thread>(std::move(executor), std::move(tls), keepalive,
                                       std::move(log))) {}

LwsLoop::~LwsLoop() = default;

LwsLoop::Id LwsLoop::Connect(LwsTarget target, std::shared_ptr<LwsStream> stream) {
  const Id id = ++last_id_;
  thread_->Post([thread = thread_.get(), id, target = std::move(target),
                 stream = std::move(stream)] { thread->Connect(id, target, stream); });
  return id;
}

void LwsLoop::WriteStdin(Id id, std::string data) {
  thread_->Post(
      [thread = thread_.get(), id, data = std::move(data)] { thread->WriteStdin(id, data); });
}

void LwsLoop::CloseStdin(Id id) {
  thread_->Post([thread = thread_.get(), id] { thread->CloseStdin(id); });
}

void LwsLoop::Close(Id id) {
  thread_->Post([thread = thread_.get(), id] { thread->Close(id); });
}

}  // namespace stillpoint::kube
