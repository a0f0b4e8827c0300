// LwsLink: one websocket as libwebsockets has it, from the connect to the last callback. Private to
// lws_loop.cc.
#pragma once

#include "api/error.h"
#include "kube/config.h"
#include "kube/lws_stream.h"
#include "kube/tls_client_context.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

// Of libwebsockets, which has names of its own.
// NOLINTBEGIN(readability-identifier-naming)
struct lws;
struct lws_context;
struct lws_protocols;
struct lws_retry_bo;
// NOLINTEND(readability-identifier-naming)

namespace stillpoint::kube {

// What the library is told to receive at once.
inline constexpr unsigned kLwsBufferSize = 64 * 1024;

// Environment variables name no proxy for us; null would mean: read $http_proxy.
inline constexpr char kLwsNoProxy[] = "none:0";

// One websocket to open.
struct LwsTarget {
  std::string address;  // numeric: a name would be looked up by a blocking call on this thread
  std::uint16_t port = 443;
  std::string proxy;  // "[user:password@]address:port", or empty. With it, `address` may be a name
  std::string host;   // value of the Host header
  std::string request_target;  // path and query
  std::string user_agent;
  bool plain_http = false;  // no TLS
  Sensitive bearer_token;
  std::shared_ptr<const TlsIdentity> identity;
};

// The library writes a request into one buffer and hopes that the socket takes it whole.
inline constexpr std::size_t kLwsRequestLimit = 32 * 1024;
// And has 128 bytes for the line with the host.
inline constexpr std::size_t kLwsHostLimit = 110;

// Threads: that of libwebsockets alone.
// Lifetime: libwebsockets may keep its wsi for a while after the link is gone, to close it in good
// order; then no callback finds a link.
class LwsLink {
 public:
  // `over` is called once, when the link is of no more use, and may destroy it: after a call of any
  // method but WriteStdin() and CloseStdin() it may be gone. `tls` must outlive it.
  LwsLink(LwsTarget target, std::shared_ptr<LwsStream> stream, TlsClientContext& tls,
          std::function<void()> over);
  ~LwsLink();
  LwsLink(const LwsLink&) = delete;
  LwsLink& operator=(const LwsLink&) = delete;

  // What the context must be told, so that its callbacks come to the links.
  [[nodiscard]] static const lws_protocols* Protocols();

  // False: it failed at once; FailToConnect() must follow if the link is still there.
  [[nodiscard]] bool Connect(lws_context* context, const lws_retry_bo* keepalive);
  void FailToConnect();

  void WriteStdin(std::string_view data);
  void CloseStdin();

  // Says goodbye and lets go of the stream at once.
  void Close();

  // A callback, by the number of its reason.
  int On(lws* wsi, int reason, void* user, void* in, std::size_t size);

 private:
  int OnCertificate(void* store);
  int OnConnecting(int reason, void* in, std::size_t size);
  int OnOpen(int reason, void* in, std::size_t size);
  int WriteRequest(char** end, std::size_t room);
  int OnAnswer();
  int OnUpgrade();
  int OnReceive(std::string_view bytes);
  int OnWriteable();
  int Send(std::string_view frame);
  void OnEnd(std::string_view why);
  void Refuse(std::string_view why);
  void Leave();

  const LwsTarget target_;
  std::shared_ptr<LwsStream> stream_;  // null: nobody listens any more, say goodbye
  TlsClientContext& tls_;
  std::function<void()> over_;
  lws* wsi_ = nullptr;
  LwsOpening opening_;
  bool open_ = false;
  std::string to_stdin_;
  bool stdin_ends_ = false;   // no more of it; the peer is told once it has all
  bool stdin_ended_ = false;  // the peer was told
};

}  // namespace stillpoint::kube
