#include "sim/pocket/exec_socket.h"

#include "kube/waiters.h"
#include "sim/pocket/exec_frames.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace stillpoint::sim::pocket {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::use_awaitable;

namespace {

using Socket = websocket::stream<TlsStream&, false>;  // nothing here is worth compressing

constexpr std::size_t kMessageLimit = std::size_t{16} << 20;

std::string Message(char channel, std::string_view payload) {
  std::string message(1, channel);
  message += payload;
  return message;
}

// What the command has said and nobody has sent yet. Shared with the sink, which may outlive the
// connection by a moment.
struct Outbox {
  explicit Outbox(asio::any_io_executor executor) : changed(std::move(executor)) {}

  void Push(const api::Result<kube::ExecEvent>& event) {
    if (!event) {
      status = ExecFailure(event.error());
    } else if (event->type == kube::ExecEvent::Type::kExit) {
      status = ExitStatus(event->exit_code);
    } else {
      const bool out = event->type == kube::ExecEvent::Type::kStdout;
      messages.push_back(Message(out ? kStdoutChannel : kStderrChannel, event->data));
    }
    changed.NotifyAll();
  }

  std::deque<std::string> messages;
  std::optional<std::string> status;
  kube::Waiters changed;
};

asio::awaitable<void> Accept(Socket& socket, const WireRequest* request) {
  const auto offered = (*request)[beast::http::field::sec_websocket_protocol];
  const std::string protocol = ChooseExecProtocol({offered.data(), offered.size()});
  socket.set_option(
      websocket::stream_base::decorator([protocol](websocket::response_type& response) {
        if (!protocol.empty()) {
          response.set(beast::http::field::sec_websocket_protocol, protocol);
        }
      }));
  auto limits = websocket::stream_base::timeout::suggested(beast::role_type::server);
  limits.idle_timeout = websocket::stream_base::none();
  socket.set_option(limits);
  socket.read_message_max(kMessageLimit);
  socket.binary(true);
  co_await socket.async_accept(*request, use_awaitable);
}

asio::awaitable<void> Close(Socket& socket) {
  co_await socket.async_close(websocket::close_code::normal, asio::as_tuple(use_awaitable));
}

// Sends until the status is out, then closes. The read that goes on meanwhile must not be cancelled
// before: that would tear the connection down.
asio::awaitable<void> SendAll(Socket& socket, std::shared_ptr<Outbox> outbox, kube::Clock& clock) {
  while (true) {
    while (!outbox->messages.empty()) {
      const std::string message = std::move(outbox->messages.front());
      outbox->messages.pop_front();
      co_await socket.async_write(asio::buffer(message), use_awaitable);
    }
    if (outbox->status) break;
    co_await outbox->changed.Wait();
  }
  const std::string status = Message(kStatusChannel, *outbox->status);
  co_await socket.async_write(asio::buffer(status), use_awaitable);
  co_await kube::RunWithin(clock, std::chrono::seconds(2), Close(socket));
}

// Hands input to the command until the client is gone.
asio::awaitable<void> ReceiveAll(Socket& socket, Command& command) {
  while (true) {
    beast::flat_buffer buffer;
    const auto [error, size] = co_await socket.async_read(buffer, asio::as_tuple(use_awaitable));
    if (error) co_return;
    const std::string message = beast::buffers_to_string(buffer.data());
    if (message.empty()) continue;
    if (message[0] == kStdinChannel && message.size() > 1) {
      command.WriteStdin(std::string_view(message).substr(1));
    } else if (message[0] == kCloseChannel && message.size() > 1 && message[1] == kStdinChannel) {
      command.CloseStdin();
    }
  }
}

}  // namespace

asio::awaitable<void> ServeExec(TlsStream& stream, WireRequest request, CommandRequest command,
                                StartCommandFn start, kube::Clock& clock) {
  using namespace asio::experimental::awaitable_operators;
  beast::get_lowest_layer(stream).expires_never();
  Socket socket(stream);
  co_await Accept(socket, &request);
  const auto outbox = std::make_shared<Outbox>(co_await asio::this_coro::executor);
  auto started =
      start(command, [outbox](api::Result<kube::ExecEvent> event) { outbox->Push(event); });
  if (!started) {
    outbox->status = ExecFailure(started.error());
    co_await SendAll(socket, outbox, clock);
  } else {
    // The end of either ends the other; losing the command gives it end-of-file.
    co_await (SendAll(socket, outbox, clock) || ReceiveAll(socket, **started));
    started->reset();
  }
}

}  // namespace stillpoint::sim::pocket
