#include "sim/world/faults.h"

#include "api/duration.h"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace stillpoint::sim {

namespace json = boost::json;
using Effect = Fault::Effect;

namespace {

constexpr std::array<std::pair<Effect, std::string_view>, 10> kEffects{{
    {Effect::kKill, "kill"},
    {Effect::kPause, "pause"},
    {Effect::kPartitionApi, "partition-api"},
    {Effect::kPartitionExec, "partition-exec"},
    {Effect::kPartition, "partition"},
    {Effect::kLose, "lose"},
    {Effect::kRefuse, "refuse"},
    {Effect::kDelay, "delay"},
    {Effect::kLag, "lag"},
    {Effect::kDropStreams, "drop-streams"},
}};

constexpr std::array kCodes{
    api::Code::kUnknown,   api::Code::kNotFound,        api::Code::kAlreadyExists,
    api::Code::kConflict,  api::Code::kInvalid,         api::Code::kForbidden,
    api::Code::kExpired,   api::Code::kTooManyRequests, api::Code::kTimeout,
    api::Code::kCancelled, api::Code::kUnavailable};

std::string_view NameOf(Effect effect) {
  return std::ranges::find(kEffects, effect, &std::pair<Effect, std::string_view>::first)->second;
}

bool HasCode(Effect effect) {
  return effect == Effect::kLose || effect == Effect::kRefuse;
}

bool MatchesWord(const std::string& pattern, std::string_view word) {
  return pattern == "*" || pattern == word;
}

// "a/b" is `pattern` split around its first slash; spares the text of most points.
bool MatchesPath(const std::string& pattern, std::string_view a, std::string_view b) {
  if (pattern == "*") return true;
  if (b.empty()) return pattern == a;
  return pattern.size() == a.size() + 1 + b.size() && pattern.starts_with(a) &&
         pattern[a.size()] == '/' && pattern.ends_with(b);
}

bool MatchesBody(const std::string& with, const Point& point) {
  if (with.empty()) return true;
  if (point.body && json::serialize(*point.body).find(with) != std::string::npos) return true;
  return point.object && json::serialize(*point.object).find(with) != std::string::npos;
}

bool Matches(const Fault& fault, const Point& point) {
  const std::string_view ns = point.ns.empty() ? "-" : point.ns;
  const std::string_view name = point.name.empty() ? "-" : point.name;
  return (fault.life == 0 || point.life == 0 || fault.life == point.life) &&
         MatchesWord(fault.stage, StageName(point.stage)) && MatchesWord(fault.verb, point.verb) &&
         MatchesPath(fault.resource, point.resource, point.subresource) &&
         MatchesPath(fault.object, ns, name) && MatchesBody(fault.with, point);
}

// The next word up to `separator`, which is taken away too.
std::string_view Take(std::string_view* text, char separator) {
  const auto end = text->find(separator);
  const std::string_view word = text->substr(0, end);
  *text = end == std::string_view::npos ? "" : text->substr(end + 1);
  return word;
}

template <class Number>
bool ReadNumber(std::string_view text, Number* to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *to);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadPattern(std::string_view text, Fault* fault) {
  fault->stage = Take(&text, ',');
  fault->verb = Take(&text, ',');
  fault->resource = Take(&text, ',');
  fault->object = text;
  return !fault->stage.empty() && !fault->verb.empty() && !fault->resource.empty() &&
         !fault->object.empty();
}

bool ReadCode(std::string_view text, Fault* fault) {
  const auto found = std::ranges::find_if(
      kCodes, [&](api::Code code) { return std::string_view(api::ToString(code)) == text; });
  if (found == kCodes.end()) return false;
  fault->code = *found;
  return true;
}

bool ReadDuration(std::string_view text, Fault* fault) {
  const auto duration = api::ParseDuration(std::string(text));
  if (!duration) return false;
  fault->duration = *duration;
  return true;
}

bool ReadWord(std::string_view word, Fault* fault) {
  if (word == "for-ever") return fault->for_ever = true;
  const std::string_view key = Take(&word, '=');
  if (key == "at") return ReadPattern(word, fault);
  if (key == "code") return ReadCode(word, fault);
  if (key == "for") return ReadDuration(word, fault);
  if (key == "life") return ReadNumber(word, &fault->life);
  if (key == "nth") return ReadNumber(word, &fault->nth);
  if (key == "one-in") return ReadNumber(word, &fault->one_in) && fault->one_in > 0;
  return false;
}

}  // namespace

std::string Text(const Fault& fault) {
  std::string line(NameOf(fault.effect));
  if (HasCode(fault.effect)) line += fmt::format(" code={}", api::ToString(fault.code));
  if (fault.duration.count() > 0)
    line += fmt::format(" for={}", api::FormatDuration(fault.duration));
  if (fault.for_ever) line += " for-ever";
  if (fault.life != 0) line += fmt::format(" life={}", fault.life);
  line += fmt::format(" at={},{},{},{}", fault.stage, fault.verb, fault.resource, fault.object);
  if (fault.nth != 0) line += fmt::format(" nth={}", fault.nth);
  if (fault.one_in != 1) line += fmt::format(" one-in={}", fault.one_in);
  if (!fault.with.empty()) line += fmt::format(" with={}", fault.with);
  return line;
}

api::Result<Fault> ParseFault(std::string_view line) {
  Fault fault;
  const std::string_view effect = Take(&line, ' ');
  const auto known =
      std::ranges::find(kEffects, effect, &std::pair<Effect, std::string_view>::second);
  if (known == kEffects.end()) {
    return api::Error{api::Code::kInvalid, fmt::format("no such fault: {}", effect)};
  }
  fault.effect = known->first;
  while (!line.empty()) {
    if (line.starts_with("with=")) {  // the rest of the line: it may contain anything
      fault.with = line.substr(5);
      break;
    }
    const std::string_view word = Take(&line, ' ');
    if (!word.empty() && !ReadWord(word, &fault)) {
      return api::Error{api::Code::kInvalid, fmt::format("cannot read \"{}\" of a fault", word)};
    }
  }
  return fault;
}

Fault At(const Moment& moment, Effect effect) {
  Fault fault{.effect = effect, .life = moment.life, .nth = moment.nth};
  std::string_view text = moment.point;
  fault.stage = Take(&text, ' ');
  fault.verb = Take(&text, ' ');
  fault.resource = Take(&text, ' ');
  fault.object = text;
  return fault;
}

bool IsAt(const Moment& moment, Stage stage) {
  return moment.point.starts_with(StageName(stage));
}

void Faults::Set(std::vector<Fault> faults) {
  faults_ = std::move(faults);
  matched_.assign(faults_.size(), 0);
  struck_.assign(faults_.size(), 0);
  entities_.clear();
  for (const Fault& fault : faults_) entities_.push_back(HashIn(0, Text(fault)));
}

std::vector<const Fault*> Faults::Meet(const Point& point) {
  std::vector<const Fault*> striking;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    const Fault& fault = faults_[i];
    if ((settled_ && !fault.for_ever) || !Matches(fault, point)) continue;
    const std::uint64_t count = ++matched_[i];
    if (fault.nth != 0 && fault.nth != count) continue;
    if (!draws_.Chance(1, fault.one_in, DrawStream::kFaults, entities_[i], count)) continue;
    ++struck_[i];
    striking.push_back(&fault);
  }
  return striking;
}

}  // namespace stillpoint::sim
