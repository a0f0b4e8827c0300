// LwsStream: where the thread of libwebsockets puts what it receives for one exec, and where the
// loop takes it out. The only object that both threads know.
#pragma once

#include "api/error.h"
#include "kube/exec.h"
#include "kube/exec_frames.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

// How a stream was opened, or why not.
struct LwsOpening {
  std::optional<ExecProtocol> protocol;  // empty: not opened
  bool connected = false;                // the server, or its proxy, was reached at all
  int http_status = 0;                   // 0: the server did not get as far as to answer
  std::string text;                      // the body of that answer, or what went wrong
};

// Lifetime: shared by the loop and the lws thread; whoever lets go last destroys it. It holds
// nothing that belongs to one thread.
class LwsStream {
 public:
  // The half that waits. Belongs to the loop alone: only a weak pointer to it crosses threads.
  class Reader;

  LwsStream();
  ~LwsStream();
  LwsStream(const LwsStream&) = delete;
  LwsStream& operator=(const LwsStream&) = delete;

  // The thread of libwebsockets.
  void Opened(LwsOpening opening);  // the first call counts
  void Feed(std::string_view bytes, ExecTranscript::Piece piece);
  [[nodiscard]] bool has_status() const;
  void End(api::Error reason);

 private:
  struct State;
  void Wake(State& locked);
  const std::unique_ptr<State> state_;
};

// Threads: the loop.
class LwsStream::Reader {
 public:
  Reader(boost::asio::any_io_executor executor, std::shared_ptr<LwsStream> stream);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Cancellation: throws operation_aborted; what arrives is kept.
  [[nodiscard]] boost::asio::awaitable<LwsOpening> Opening();
  [[nodiscard]] boost::asio::awaitable<api::Result<ExecEvent>> Next();

  struct Bell;  // for the .cc only

 private:
  template <class T>
  boost::asio::awaitable<T> Poll(std::optional<T> (*take)(State&));

  const std::shared_ptr<LwsStream> stream_;
  const std::shared_ptr<Bell> bell_;
};

}  // namespace stillpoint::kube
