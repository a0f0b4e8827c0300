#include "sim/run/scenario_text.h"

#include "api/codec.h"
#include "api/duration.h"
#include "api/type.h"
#include "sim/world/faults.h"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <utility>

namespace stillpoint::sim::run {
namespace {

namespace json = boost::json;

template <class T>
std::string Differences(const T& value) {
  json::object all = api::Encode(value).as_object();
  const json::object usual = api::Encode(T{}).as_object();
  json::object different;
  for (auto& [key, element] : all) {
    const auto* other = usual.if_contains(key);
    if (other == nullptr || *other != element) different.emplace(key, std::move(element));
  }
  return json::serialize(different);
}

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

// The first word, which is taken off `text`.
std::string_view TakeWord(std::string_view& text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return std::exchange(text, {});
  text.remove_prefix(begin);
  const auto end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

api::Result<json::object> ParseFields(std::string_view text) {
  if (text.empty()) return json::object{};
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return Invalid(fmt::format("not a JSON object: {}", text));
  return std::move(value.as_object());
}

template <class T>
api::Result<T> ParseDescribed(std::string_view text) {
  auto fields = ParseFields(text);
  if (!fields) return fields.error();
  return api::Decode<T>(json::value(std::move(*fields)));
}

api::Result<Operation> ParseOperation(std::string_view text) {
  Operation operation;
  auto at = api::ParseDuration(TakeWord(text));
  if (!at) return at.error();
  operation.at = *at;
  const std::string_view word = TakeWord(text);
  bool known = false;
  for (const api::EnumValue& value : api::TypeOf<Act>().values) {
    if (value.name != word) continue;
    operation.act = static_cast<Act>(value.value);
    known = true;
  }
  if (!known) return Invalid(fmt::format("no such operation: {}", word));
  operation.object = TakeWord(text);
  if (operation.object.empty()) return Invalid("names no object");
  auto fields = ParseFields(text);
  if (!fields) return fields.error();
  operation.fields = std::move(*fields);
  return operation;
}

api::Result<void> ParseSeed(std::string_view text, std::uint64_t& seed) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  return Invalid(fmt::format("not a seed: {}", text));
}

template <class T>
api::Result<void> Store(api::Result<T> parsed, T& to) {
  if (!parsed) return parsed.error();
  to = std::move(*parsed);
  return {};
}

template <class T>
api::Result<void> Append(api::Result<T> parsed, std::vector<T>& to) {
  if (!parsed) return parsed.error();
  to.push_back(std::move(*parsed));
  return {};
}

api::Result<void> ParseLine(std::string_view line, Scenario& scenario) {
  const std::string_view what = TakeWord(line);
  if (what.empty() || what.starts_with('#')) return {};
  if (what == "seed") return ParseSeed(line, scenario.seed);
  if (what == "knobs") return Store(ParseDescribed<Knobs>(line), scenario.knobs);
  if (what == "app") return Append(ParseDescribed<Application>(line), scenario.applications);
  if (what == "at") return Append(ParseOperation(line), scenario.operations);
  if (what == "fault") return Append(ParseFault(line), scenario.faults);
  return Invalid(fmt::format("no such line: {}", what));
}

}  // namespace

std::string FormatOperation(const Operation& operation) {
  return fmt::format("at {} {} {} {}", api::FormatDuration(operation.at),
                     api::EnumText(operation.act), operation.object,
                     json::serialize(operation.fields));
}

std::string FormatScenario(const Scenario& scenario) {
  std::string text = fmt::format("seed {}\nknobs {}\n", scenario.seed, Differences(scenario.knobs));
  for (const Application& application : scenario.applications) {
    text += fmt::format("app {}\n", Differences(application));
  }
  for (const Operation& operation : scenario.operations) text += FormatOperation(operation) + '\n';
  for (const Fault& fault : scenario.faults) text += fmt::format("fault {}\n", Text(fault));
  return text;
}

api::Result<Scenario> ParseScenario(std::string_view text) {
  Scenario scenario;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto done = ParseLine(text.substr(0, end), scenario);
    if (!done) {
      return Invalid(fmt::format("line {}: {}", number, done.error().message));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scenario;
}

}  // namespace stillpoint::sim::run
