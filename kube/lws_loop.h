// LwsLoop: the thread on which libwebsockets lives. Nothing of the library is seen outside.
//
// In: a queue and a wake-up. Out: LwsStream, which posts to the caller's executor. So no callback
// of the library ever runs code of the controllers, and no pointer of the library leaves its
// thread.
#pragma once

#include "kube/log.h"
#include "kube/lws_link.h"
#include "kube/lws_stream.h"
#include "kube/tls_client_context.h"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace stillpoint::kube {

// How soon a connection that swallows everything is found out.
struct LwsKeepalive {
  std::chrono::seconds ping{5};      // after this long without a sign of life we ask for one
  std::chrono::seconds hang_up{15};  // and give up this long after the last one
};

// Threads: any method on any one thread at a time; in this house, the loop.
// Lifetime: the destructor ends the thread, and with it every stream; nothing is posted afterwards.
// `executor` must still be there then.
class LwsLoop {
 public:
  using Id = std::uint64_t;

  LwsLoop(boost::asio::any_io_executor executor, std::unique_ptr<TlsClientContext> tls,
          LwsKeepalive keepalive, LogFn log);
  ~LwsLoop();
  LwsLoop(const LwsLoop&) = delete;
  LwsLoop& operator=(const LwsLoop&) = delete;

  // Opens a websocket whose life is told to `stream`. Close() must follow at some time.
  [[nodiscard]] Id Connect(LwsTarget target, std::shared_ptr<LwsStream> stream);

  void WriteStdin(Id id, std::string data);
  void CloseStdin(Id id);

  // Says goodbye and lets go of the stream at once; the rest of the closing needs nobody.
  void Close(Id id);

 private:
  class Thread;
  const std::unique_ptr<Thread> thread_;
  Id last_id_ = 0;
};

}  // namespace stillpoint::kube
