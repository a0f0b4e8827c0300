#include "kube/http_watch.h"

#include "kube/status.h"
#include "kube/watch_words.h"

#include <boost/json/parse.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t kMaxJsonDepth = 256;

}  // namespace

asio::awaitable<api::Result<WatchEvent>> HttpWatch::Next() {
  const auto line = co_await NextLine();
  if (!line) co_return line.error();
  auto event = ParseEvent(*line);
  if (!event) connection_.reset();
  co_return event;
}

asio::awaitable<api::Result<std::string>> HttpWatch::NextLine() {
  while (true) {
    auto line = framer_.Next();
    if (!line) {
      connection_.reset();
      co_return Ended(line.error().code, line.error().message);
    }
    if (*line) co_return std::move(**line);
    if (auto more = co_await ReadMore(); !more) co_return more.error();
  }
}

// The connection is put back only when all went well: an error or a cancellation closes it.
asio::awaitable<api::Result<void>> HttpWatch::ReadMore() {
  auto connection = std::exchange(connection_, nullptr);
  if (!connection) co_return Ended(api::Code::kUnavailable, "the watch has ended");
  const auto now = clock_.SteadyNow();
  const auto patience =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::max(planned_end_, now) - now) +
      kGrace;
  const auto piece = co_await WithTimeout(clock_, patience, "the server has fallen silent",
                                          connection->ReadBody());
  if (!piece) co_return Ended(piece.error().code, piece.error().message);
  if (piece->empty()) co_return Ended(api::Code::kUnavailable, "the server has ended the watch");
  framer_.Feed(*piece);
  connection_ = std::move(connection);
  co_return api::Result<void>{};
}

api::Result<WatchEvent> HttpWatch::ParseEvent(const std::string& line) const {
  boost::system::error_code error;
  json::value event = json::parse(line, error, {}, {.max_depth = kMaxJsonDepth});
  json::object* const fields = event.if_object();
  if (error || fields == nullptr) {
    return Ended(api::Code::kUnavailable, "the server sent what is no event");
  }
  const json::value* const type = fields->if_contains("type");
  json::value* const object = fields->if_contains("object");
  if (type == nullptr || !type->is_string() || object == nullptr) {
    return Ended(api::Code::kUnavailable, "the server sent an event without type or object");
  }
  if (type->get_string() == "ERROR") return ErrorFromStatus(name_, *object);
  const auto known = ParseWatchWord(type->get_string());
  if (!known) return Ended(api::Code::kUnavailable, "the server sent an event of unknown type");
  if (!object->is_object()) {
    return Ended(api::Code::kUnavailable, "the server sent an event of what is no object");
  }
  return WatchEvent{
      .type = *known,
      .object = std::make_shared<const json::object>(std::move(object->get_object()))};
}

api::Error HttpWatch::Ended(api::Code code, const std::string& why) const {
  return {code, fmt::format("{}: {}: {}", name_.ToString(), api::ToString(code), why)};
}

}  // namespace stillpoint::kube
