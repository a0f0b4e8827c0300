#include "kube/lws_link.h"

#include "kube/exec_frames.h"

#include <fmt/format.h>
#include <libwebsockets.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace stillpoint::kube {

namespace {

// libwebsockets cuts the request line at 2 KiB, and a command may be longer. So it writes this one,
// and the real one takes its place before anything is sent.
constexpr const char* kPlaceholderPath = "/stillpoint-exec";
constexpr std::string_view kPlaceholderLine = "GET /stillpoint-exec HTTP/1.1\r\n";

constexpr const char* kProtocolName = "exec";
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

// Most of what comes here is of no interest, and some of it comes with a wsi that is none. Only a
// connection of ours has a link.
int Callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) {
  auto* link = wsi ? static_cast<LwsLink*>(lws_get_opaque_user_data(wsi)) : nullptr;
  return link ? link->On(wsi, reason, user, in, size) : 0;
}

}  // namespace

LwsLink::LwsLink(LwsTarget target, std::shared_ptr<LwsStream> stream, TlsClientContext& tls,
                 std::function<void()> over)
    : target_(std::move(target)), stream_(std::move(stream)), tls_(tls), over_(std::move(over)) {}

LwsLink::~LwsLink() {
  if (wsi_) lws_set_opaque_user_data(wsi_, nullptr);
}

const lws_protocols* LwsLink::Protocols() {
  static const lws_protocols kProtocols[] = {
      {kProtocolName, &Callback, 0, kLwsBufferSize, 0, nullptr, 0},
      {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  return kProtocols;
}

bool LwsLink::Connect(lws_context* context, const lws_retry_bo* keepalive) {
  tls_.SetIdentity(target_.identity);
  lws_vhost* vhost = lws_get_vhost_by_name(context, "default");
  const char* proxy = target_.proxy.empty() ? kLwsNoProxy : target_.proxy.c_str();
  if (lws_set_proxy(vhost, proxy) != 0) {
    opening_.text = "the proxy's URL is too long";
    return false;
  }
  lws_client_connect_info info{};
  info.context = context;
  info.vhost = vhost;
  info.address = target_.address.c_str();
  info.port = target_.port;
  info.path = kPlaceholderPath;
  info.host = target_.host.c_str();
  info.alpn = "http/1.1";
  info.local_protocol_name = kProtocolName;
  info.protocol = kExecProtocols.data();
  info.opaque_user_data = this;
  info.retry_and_idle_policy = keepalive;
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  // The name is checked by the context of ours.
  if (!target_.plain_http) {
    info.ssl_connection |= LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
  }
  lws* wsi = lws_client_connect_via_info(&info);
  if (!wsi) return false;  // it may have called back already, and then this link is gone
  wsi_ = wsi;
  return true;
}

void LwsLink::FailToConnect() {
  wsi_ = nullptr;
  Refuse("no connection");
}

void LwsLink::WriteStdin(std::string_view data) {
  if (!open_ || stdin_ends_) return;
  to_stdin_ += data;
  lws_callback_on_writable(wsi_);
}

void LwsLink::CloseStdin() {
  if (!open_) return;
  if (opening_.protocol != ExecProtocol::kV5) {
    stream_->End(Lost("the stream was closed to end stdin, as v4.channel.k8s.io needs"));
    stream_ = nullptr;
  }
  stdin_ends_ = true;
  lws_callback_on_writable(wsi_);
}

void LwsLink::Close() {
  lws* wsi = wsi_;
  if (open_) {
    stream_ = nullptr;
    lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, kCloseSeconds);
    lws_callback_on_writable(wsi);
  } else {
    Leave();
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
  }
}

int LwsLink::On(lws* wsi, int reason, void* user, void* in, std::size_t size) {
  wsi_ = wsi;
  if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) return OnCertificate(user);
  return open_ ? OnOpen(reason, in, size) : OnConnecting(reason, in, size);
}

int LwsLink::OnCertificate(void* store) {
  const std::string refusal = tls_.Judge(static_cast<X509_STORE_CTX*>(store));
  if (!refusal.empty()) opening_.text = "the server's certificate is refused: " + refusal;
  return 0;  // the verdict is in `store`
}

int LwsLink::OnConnecting(int reason, void* in, std::size_t size) {
  switch (reason) {
    case LWS_CALLBACK_WSI_CREATE:
      opening_.connected = true;
      setsockopt(lws_get_socket_fd(wsi_), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer));
      return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      return WriteRequest(static_cast<char**>(in), size);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
      return OnAnswer();
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
      opening_.text.append(static_cast<const char*>(in),
                           std::min(size, kMaxRefusal - opening_.text.size()));
      return 0;
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
      return -1;  // no other request on this connection
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
      return OnUpgrade();
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      open_ = true;
      stream_->Opened(opening_);
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      Refuse(in ? std::string_view(static_cast<const char*>(in), size) : "no connection");
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      Refuse("the connection was closed while it was being set up");
      return 0;
    default:
      return 0;
  }
}

int LwsLink::OnOpen(int reason, void* in, std::size_t size) {
  switch (reason) {
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return OnReceive({static_cast<const char*>(in), size});
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return OnWriteable();
    case LWS_CALLBACK_TIMER:
      OnEnd("the stream did not end after the exit status");
      return -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      OnEnd("the API server closed the stream without an exit status");
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      OnEnd("the connection was lost");
      return 0;
    default:
      return 0;
  }
}

// `end` is where the header lines that libwebsockets has written end, with `room` behind it.
int LwsLink::WriteRequest(char** end, std::size_t room) {
  char* line = *end - kPlaceholderLine.size();
  while (std::string_view(line, kPlaceholderLine.size()) != kPlaceholderLine) --line;
  const std::string real = fmt::format("GET {} HTTP/1.1\r\n", target_.request_target);
  std::string more = fmt::format("User-Agent: {}\r\n", target_.user_agent);
  if (const auto& token = target_.bearer_token.Reveal(); !token.empty()) {
    more += fmt::format("Authorization: Bearer {}\r\n", token);
  }
  const std::string rest(line + kPlaceholderLine.size(), *end);
  const std::string lines = real + rest + more;
  if (lines.size() > static_cast<std::size_t>(*end - line) + room) {
    opening_.text = "the request is too long";
    return -1;
  }
  std::memcpy(line, lines.data(), lines.size());
  *end = line + lines.size();
  return 0;
}

// The head of the server's answer is here. When it is no upgrade, the body usually came with it.
int LwsLink::OnAnswer() {
  const int status = static_cast<int>(lws_http_client_http_response(wsi_));
  if (status == 101) return 0;
  opening_.http_status = status;
  opening_.text.clear();
  for (std::size_t before = 1; before != opening_.text.size();) {
    before = opening_.text.size();
    char* body = nullptr;
    int size = 0;
    if (lws_http_client_read(wsi_, &body, &size) != 0) break;
  }
  Refuse("");
  return -1;
}

int LwsLink::OnUpgrade() {
  char name[64];
  const int size = lws_hdr_copy(wsi_, name, sizeof(name), WSI_TOKEN_PROTOCOL);
  opening_.protocol =
      ParseExecProtocol(size > 0 ? std::string_view(name, static_cast<std::size_t>(size)) : "");
  if (opening_.protocol) return 0;
  Refuse("the server speaks neither v5 nor v4.channel.k8s.io");
  return -1;
}

int LwsLink::OnReceive(std::string_view bytes) {
  if (!stream_) return 0;
  lws_validity_confirmed(wsi_);
  const bool last = lws_is_final_fragment(wsi_) != 0;
  stream_->Feed(bytes, last ? ExecTranscript::Piece::kLast : ExecTranscript::Piece::kPart);
  if (last && stream_->has_status()) lws_set_timer_usecs(wsi_, kGraceAfterStatus);
  return 0;
}

int LwsLink::OnWriteable() {
  if (!stream_) {
    lws_close_reason(wsi_, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
    Leave();
    return -1;
  }
  if (!to_stdin_.empty()) {
    const std::string data = std::exchange(to_stdin_, {});
    if (stdin_ends_) lws_callback_on_writable(wsi_);
    return Send(std::string(1, kStdinChannel) + data);
  }
  if (!stdin_ends_ || std::exchange(stdin_ended_, true)) return 0;
  return Send({reinterpret_cast<const char*>(kCloseStdinFrame.data()), kCloseStdinFrame.size()});
}

// One message for each time that the library says it can take one.
int LwsLink::Send(std::string_view frame) {
  std::vector<unsigned char> buffer(LWS_PRE + frame.size());
  std::ranges::copy(frame, buffer.begin() + LWS_PRE);
  const int sent = lws_write(wsi_, buffer.data() + LWS_PRE, frame.size(), LWS_WRITE_BINARY);
  return sent < 0 ? -1 : 0;
}

void LwsLink::OnEnd(std::string_view why) {
  if (stream_) stream_->End(Lost(std::string(why)));
  Leave();
}

void LwsLink::Refuse(std::string_view why) {
  opening_.protocol.reset();
  if (opening_.text.empty()) opening_.text = why;
  stream_->Opened(std::move(opening_));
  Leave();
}

// The last word on this link: `this` may be gone afterwards.
void LwsLink::Leave() {
  if (wsi_) lws_set_opaque_user_data(std::exchange(wsi_, nullptr), nullptr);
  const auto over = std::move(over_);
  over();
}

}  // namespace stillpoint::kube
