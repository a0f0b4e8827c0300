#include "sim/world/trace.h"

#include "sim/world/draws.h"

#include <fmt/format.h>

#include <bit>

namespace stillpoint::sim {

namespace json = boost::json;

namespace {

std::uint64_t HashJson(std::uint64_t hash, const json::value& value);

std::uint64_t HashObject(std::uint64_t hash, const json::object& object) {
  for (const auto& [key, value] : object) hash = HashJson(HashIn(hash, key), value);
  return HashIn(hash, object.size());
}

std::uint64_t HashJson(std::uint64_t hash, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return HashIn(hash, std::uint64_t{1});
    case json::kind::bool_:
      return HashIn(hash, std::uint64_t{value.get_bool() ? 3U : 2U});
    case json::kind::int64:
      return HashIn(hash, static_cast<std::uint64_t>(value.get_int64()));
    case json::kind::uint64:
      return HashIn(hash, value.get_uint64());
    case json::kind::double_:
      return HashIn(hash, std::bit_cast<std::uint64_t>(value.get_double()));
    case json::kind::string:
      return HashIn(hash, std::string_view(value.get_string()));
    case json::kind::array:
      for (const auto& item : value.get_array()) hash = HashJson(hash, item);
      return HashIn(hash, value.get_array().size());
    case json::kind::object:
      return HashObject(hash, value.get_object());
  }
  return hash;
}

std::string_view VersionOf(const json::object& object) {
  const auto* metadata = object.if_contains("metadata");
  const auto* version = metadata != nullptr && metadata->is_object()
                            ? metadata->get_object().if_contains("resourceVersion")
                            : nullptr;
  return version != nullptr && version->is_string() ? std::string_view(version->get_string())
                                                    : std::string_view();
}

std::string_view Word(std::string_view text) {
  return text.empty() ? "-" : text;
}

}  // namespace

std::string_view StageName(Stage stage) {
  switch (stage) {
    case Stage::kSend:
      return "send";
    case Stage::kEffect:
      return "effect";
    case Stage::kAnswer:
      return "answer";
    case Stage::kChange:
      return "change";
    case Stage::kLife:
      return "life";
  }
  return "";
}

std::string Text(const Point& point) {
  return fmt::format("{} {} {}{}{} {}/{}", StageName(point.stage), Word(point.verb),
                     Word(point.resource), point.subresource.empty() ? "" : "/", point.subresource,
                     Word(point.ns), Word(point.name));
}

std::string Line(api::Time since, api::Time at, const Point& point) {
  const auto passed = (at - since).count();
  std::string line = fmt::format("{}.{:06} life {} {}", passed / 1'000'000, passed % 1'000'000,
                                 point.life, Text(point));
  if (point.error) line += fmt::format(" {}", api::ToString(point.error->code));
  return line;
}

void Trace::Add(api::Time at, const Point& point) {
  ++events_;
  hash_ = HashIn(hash_, static_cast<std::uint64_t>(at.time_since_epoch().count()));
  hash_ = HashIn(
      hash_, static_cast<std::uint64_t>(point.life) * 16 + static_cast<std::uint64_t>(point.stage));
  for (const auto text : {point.verb, point.resource, point.subresource, point.ns, point.name}) {
    hash_ = HashIn(hash_, text);
  }
  if (point.body) hash_ = HashJson(hash_, *point.body);
  // Its version counts all writes before it; what they say is in the bodies of the requests.
  if (point.object) hash_ = HashIn(hash_, VersionOf(*point.object));
  if (point.error) hash_ = HashIn(hash_, static_cast<std::uint64_t>(point.error->code) + 1);
  if (recording_) Record(point);
  for (const auto& listener : listeners_) listener(at, point);
}

void Trace::Record(const Point& point) {
  if (point.life == 0 || point.stage == Stage::kLife) return;
  std::string text = Text(point);
  const std::uint32_t nth = ++met_[{point.life, text}];
  moments_.push_back({point.life, std::move(text), nth});
}

}  // namespace stillpoint::sim
