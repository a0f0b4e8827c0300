#include "kube/lws_loop.h"

#include <fmt/format.h>
#include <libwebsockets.h>
#include <sys/socket.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace stillpoint::kube {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// libwebsockets cuts the request line at 2 KiB, and a command may be longer. So it writes this one,
// and the real one takes its place before anything is sent.
constexpr const char* kPlaceholderPath = "/stillpoint-exec";
constexpr std::string_view kPlaceholderLine = "GET /stillpoint-exec HTTP/1.1\r\n";

constexpr const char* kProtocolName = "exec";
constexpr const char* kNoProxy = "none:0";  // null would mean: read $http_proxy
constexpr unsigned kBufferSize = 64 * 1024;
constexpr unsigned kMaxConnections = 1000;  // sizes its tables, else by RLIMIT_NOFILE
constexpr unsigned kFarAwaySeconds = 600;   // deadlines are the caller's; this one never matters
constexpr int kSendBuffer = 4 * static_cast<int>(kLwsRequestLimit);
constexpr std::size_t kMaxRefusal = 16 * 1024;
constexpr int kCloseSeconds = 5;

// From the exit status to the end of the stream, which normally follows at once. Output and status
// travel from the node on different streams, so the status may overtake.
constexpr lws_usec_t kGraceAfterStatus = 300 * LWS_US_PER_MS;

// The first byte of a message to stdin.
constexpr char kStdinChannel = 0;

api::Error Lost(std::string message) {
  return {api::Code::kUnavailable, std::move(message)};
}

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
  // A connection as somebody knows it. libwebsockets may keep the wsi for a while after the link is
  // gone, to close it in good order; then no callback finds a link.
  struct Link {
    Id id = 0;
    LwsTarget target;
    std::shared_ptr<LwsStream> stream;  // null: nobody listens any more, say goodbye
    lws* wsi = nullptr;
    LwsOpening opening;
    bool open = false;
    std::string to_stdin;
    bool stdin_ends = false;   // no more of it; the peer is told once it has all
    bool stdin_ended = false;  // the peer was told
  };

  static int Callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size);
  static void Emit(int level, const char* line);
  static thread_local Thread* current_;

  void Run(std::promise<bool> started);
  lws_context* CreateContext();
  bool RunCommands();

  int OnCertificate(Link& link, X509_STORE_CTX* store);
  int OnConnecting(Link& link, lws_callback_reasons reason, void* in, size_t size);
  int OnOpen(Link& link, lws_callback_reasons reason, void* in, size_t size);
  int WriteRequest(Link& link, char** end, size_t room);
  int OnAnswer(Link& link);
  int OnUpgrade(Link& link);
  int OnReceive(Link& link, std::string_view bytes);
  int OnWriteable(Link& link);
  static int Send(Link& link, std::string_view frame);
  void OnEnd(Link& link, std::string_view why);

  void Refuse(Link& link, std::string_view why);
  void End(Link& link, api::Error reason);
  void Forget(Link& link);

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
  std::map<Id, Link> links_;

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
  while (!links_.empty()) Forget(links_.begin()->second);
  lws_context_destroy(context_);
}

lws_context* LwsLoop::Thread::CreateContext() {
  static const bool logging = [] {
    lws_set_log_level(LLL_ERR, &Thread::Emit);
    return true;
  }();
  static_cast<void>(logging);
  static const lws_protocols kProtocols[] = {
      {kProtocolName, &Thread::Callback, 0, kBufferSize, 0, nullptr, 0},
      {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  lws_context_creation_info info{};
  info.user = this;
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kProtocols;
  info.http_proxy_address = kNoProxy;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.provided_client_ssl_ctx = tls_->native();
  info.pt_serv_buf_size = kBufferSize;
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
  Link& link = links_[id];
  link.id = id;
  link.target = std::move(target);
  link.stream = std::move(stream);
  tls_->SetIdentity(link.target.identity);
  lws_vhost* vhost = lws_get_vhost_by_name(context_, "default");
  const char* proxy = link.target.proxy.empty() ? kNoProxy : link.target.proxy.c_str();
  if (lws_set_proxy(vhost, proxy) != 0) return Refuse(link, "the proxy's URL is too long");

  lws_client_connect_info info{};
  info.context = context_;
  info.vhost = vhost;
  info.address = link.target.address.c_str();
  info.port = link.target.port;
  info.path = kPlaceholderPath;
  info.host = link.target.host.c_str();
  info.alpn = "http/1.1";
  info.local_protocol_name = kProtocolName;
  info.protocol = kExecProtocols.data();
  info.opaque_user_data = &link;
  info.pwsi = &link.wsi;
  info.retry_and_idle_policy = &keepalive_;
  // The name is checked by the context of ours.
  info.ssl_connection =
      LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK | LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  if (lws_client_connect_via_info(&info)) return;
  // It failed at once, and may or may not have told the callback.
  if (auto it = links_.find(id); it != links_.end()) {
    it->second.wsi = nullptr;
    Refuse(it->second, "no connection");
  }
}

void LwsLoop::Thread::WriteStdin(Id id, std::string_view data) {
  auto it = links_.find(id);
  if (it == links_.end() || !it->second.open || it->second.stdin_ends) return;
  it->second.to_stdin += data;
  lws_callback_on_writable(it->second.wsi);
}

void LwsLoop::Thread::CloseStdin(Id id) {
  auto it = links_.find(id);
  if (it == links_.end() || !it->second.open) return;
  if (it->second.opening.protocol != ExecProtocol::kV5) {
    End(it->second, Lost("the stream was closed to end stdin, as v4.channel.k8s.io needs"));
    it->second.stream = nullptr;
  }
  it->second.stdin_ends = true;
  lws_callback_on_writable(it->second.wsi);
}

void LwsLoop::Thread::Close(Id id) {
  auto it = links_.find(id);
  if (it == links_.end()) return;
  Link& link = it->second;
  lws* wsi = link.wsi;
  if (link.open) {
    link.stream = nullptr;
    lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, kCloseSeconds);
    lws_callback_on_writable(wsi);
  } else {
    Forget(link);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
  }
}

// Most of what comes here is of no interest, and some of it comes with a wsi that is none. Only a
// connection of ours has a link.
int LwsLoop::Thread::Callback(lws* wsi, lws_callback_reasons reason, void* user, void* in,
                              size_t size) {
  auto* link = wsi ? static_cast<Link*>(lws_get_opaque_user_data(wsi)) : nullptr;
  if (!link) return 0;
  link->wsi = wsi;
  auto* self = static_cast<Thread*>(lws_context_user(lws_get_context(wsi)));
  if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
    return self->OnCertificate(*link, static_cast<X509_STORE_CTX*>(user));
  }
  return link->open ? self->OnOpen(*link, reason, in, size)
                    : self->OnConnecting(*link, reason, in, size);
}

int LwsLoop::Thread::OnCertificate(Link& link, X509_STORE_CTX* store) {
  const std::string refusal = tls_->Judge(store);
  if (!refusal.empty()) link.opening.text = "the server's certificate is refused: " + refusal;
  return 0;  // the verdict is in `store`
}

int LwsLoop::Thread::OnConnecting(Link& link, lws_callback_reasons reason, void* in, size_t size) {
  switch (reason) {
    case LWS_CALLBACK_WSI_CREATE:
      link.opening.connected = true;
      setsockopt(lws_get_socket_fd(link.wsi), SOL_SOCKET, SO_SNDBUF, &kSendBuffer,
                 sizeof(kSendBuffer));
      return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      return WriteRequest(link, static_cast<char**>(in), size);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
      return OnAnswer(link);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
      link.opening.text.append(static_cast<const char*>(in),
                               std::min(size, kMaxRefusal - link.opening.text.size()));
      return 0;
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
      return -1;  // no other request on this connection
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
      return OnUpgrade(link);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      link.open = true;
      link.stream->Opened(link.opening);
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      Refuse(link, in ? std::string_view(static_cast<const char*>(in), size) : "no connection");
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      Refuse(link, "the connection was closed while it was being set up");
      return 0;
    default:
      return 0;
  }
}

int LwsLoop::Thread::OnOpen(Link& link, lws_callback_reasons reason, void* in, size_t size) {
  switch (reason) {
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return OnReceive(link, {static_cast<const char*>(in), size});
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return OnWriteable(link);
    case LWS_CALLBACK_TIMER:
      OnEnd(link, "the stream did not end after the exit status");
      return -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      OnEnd(link, "the API server closed the stream without an exit status");
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      OnEnd(link, "the connection was lost");
      return 0;
    default:
      return 0;
  }
}

// `end` is where the header lines that libwebsockets has written end, with `room` behind it.
int LwsLoop::Thread::WriteRequest(Link& link, char** end, size_t room) {
  char* line = *end - kPlaceholderLine.size();
  while (std::string_view(line, kPlaceholderLine.size()) != kPlaceholderLine) --line;
  const std::string real = fmt::format("GET {} HTTP/1.1\r\n", link.target.request_target);
  std::string more = fmt::format("User-Agent: {}\r\n", link.target.user_agent);
  if (const auto& token = link.target.bearer_token.Reveal(); !token.empty()) {
    more += fmt::format("Authorization: Bearer {}\r\n", token);
  }
  const std::string rest(line + kPlaceholderLine.size(), *end);
  const std::string lines = real + rest + more;
  if (lines.size() > static_cast<size_t>(*end - line) + room) {
    link.opening.text = "the request is too long";
    return -1;
  }
  std::memcpy(line, lines.data(), lines.size());
  *end = line + lines.size();
  return 0;
}

// The head of the server's answer is here. When it is no upgrade, the body usually came with it.
int LwsLoop::Thread::OnAnswer(Link& link) {
  const int status = static_cast<int>(lws_http_client_http_response(link.wsi));
  if (status == 101) return 0;
  link.opening.http_status = status;
  link.opening.text.clear();
  for (std::size_t before = 1; before != link.opening.text.size();) {
    before = link.opening.text.size();
    char* body = nullptr;
    int size = 0;
    if (lws_http_client_read(link.wsi, &body, &size) != 0) break;
  }
  Refuse(link, "");
  return -1;
}

int LwsLoop::Thread::OnUpgrade(Link& link) {
  char name[64];
  const int size = lws_hdr_copy(link.wsi, name, sizeof(name), WSI_TOKEN_PROTOCOL);
  link.opening.protocol =
      ParseExecProtocol(size > 0 ? std::string_view(name, static_cast<size_t>(size)) : "");
  if (link.opening.protocol) return 0;
  Refuse(link, "the server speaks neither v5 nor v4.channel.k8s.io");
  return -1;
}

int LwsLoop::Thread::OnReceive(Link& link, std::string_view bytes) {
  if (!link.stream) return 0;
  lws_validity_confirmed(link.wsi);
  const bool last = lws_is_final_fragment(link.wsi) != 0;
  link.stream->Feed(bytes, last ? ExecTranscript::Piece::kLast : ExecTranscript::Piece::kPart);
  if (last && link.stream->has_status()) lws_set_timer_usecs(link.wsi, kGraceAfterStatus);
  return 0;
}

int LwsLoop::Thread::OnWriteable(Link& link) {
  if (!link.stream) {
    lws_close_reason(link.wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
    Forget(link);
    return -1;
  }
  if (!link.to_stdin.empty()) {
    const std::string data = std::exchange(link.to_stdin, {});
    if (link.stdin_ends) lws_callback_on_writable(link.wsi);
    return Send(link, std::string(1, kStdinChannel) + data);
  }
  if (!link.stdin_ends || std::exchange(link.stdin_ended, true)) return 0;
  return Send(link,
              {reinterpret_cast<const char*>(kCloseStdinFrame.data()), kCloseStdinFrame.size()});
}

// One message for each time that the library says it can take one.
int LwsLoop::Thread::Send(Link& link, std::string_view frame) {
  std::vector<unsigned char> buffer(LWS_PRE + frame.size());
  std::ranges::copy(frame, buffer.begin() + LWS_PRE);
  const int sent = lws_write(link.wsi, buffer.data() + LWS_PRE, frame.size(), LWS_WRITE_BINARY);
  return sent < 0 ? -1 : 0;
}

void LwsLoop::Thread::OnEnd(Link& link, std::string_view why) {
  if (link.stream) End(link, Lost(std::string(why)));
  Forget(link);
}

void LwsLoop::Thread::Refuse(Link& link, std::string_view why) {
  link.opening.protocol.reset();
  if (link.opening.text.empty()) link.opening.text = why;
  link.stream->Opened(std::move(link.opening));
  Forget(link);
}

void LwsLoop::Thread::End(Link& link, api::Error reason) {
  link.stream->End(std::move(reason));
}

void LwsLoop::Thread::Forget(Link& link) {
  if (link.wsi) lws_set_opaque_user_data(link.wsi, nullptr);
  links_.erase(link.id);
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
