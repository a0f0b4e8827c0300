#include "kube/resolve.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
using boost::asio::ip::tcp;
using boost::system::error_code;

// What a resolver has found, or will have. Outlives the coroutine that waits for it.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : done(executor) {
    done.expires_at(asio::steady_timer::time_point::max());
  }
  asio::steady_timer done;  // cancelled when there is an answer
  bool answered = false;
  error_code error;
  std::vector<tcp::endpoint> endpoints;
};

// getaddrinfo runs on a thread of Asio's and cannot be stopped, so the wait for it is on a timer,
// which can.
asio::awaitable<api::Result<std::vector<tcp::endpoint>>> LookUp(std::string host,
                                                                std::string port) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto lookup = std::make_shared<Lookup>(executor);
  resolver.async_resolve(host, port, [lookup](error_code error, const auto& entries) {
    lookup->answered = true;
    lookup->error = error;
    for (const auto& entry : entries) lookup->endpoints.push_back(entry.endpoint());
    lookup->done.cancel();
  });
  co_await lookup->done.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!lookup->answered) throw boost::system::system_error(asio::error::operation_aborted);
  if (!lookup->error) co_return lookup->endpoints;
  co_return api::Error{api::Code::kUnavailable,
                       fmt::format("cannot resolve {}: {}", host, lookup->error.message())};
}

}  // namespace

asio::awaitable<api::Result<std::vector<tcp::endpoint>>> Resolve(std::string host,
                                                                 std::string port) {
  error_code not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (not_an_address) co_return co_await LookUp(std::move(host), std::move(port));
  unsigned short number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  co_return std::vector{tcp::endpoint(address, number)};
}

}  // namespace stillpoint::kube
