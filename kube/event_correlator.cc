#include "kube/event_correlator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace stillpoint::kube {

using namespace std::chrono_literals;

namespace {

// Limits of events.k8s.io/v1.
constexpr std::size_t kReasonLimit = 128;
constexpr std::size_t kNoteLimit = 1024;
constexpr std::size_t kNameLimit = 253;

// client-go: a series ends after so long a silence, and an object has so many Events at once and
// then one each so often.
constexpr auto kSeriesGap = 6min;
constexpr double kBurst = 25;
constexpr auto kRefill = 5min;

// A count that grows is written so often, at most.
constexpr auto kRefresh = 1min;

constexpr std::string_view kEllipsis = "...";

// How many bytes the character at the beginning of `text` takes; 0 if it is no UTF-8.
std::size_t CharacterSize(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool beyond = first == 0xf4 && second > 0x8f;
  return overlong || surrogate || beyond ? 0 : size;
}

std::string NameFor(std::string name, const std::string& suffix) {
  name.resize(std::min(name.size(), kNameLimit - suffix.size()));
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  return name + suffix;
}

std::string Describe(const api::ObjectReference& reference) {
  return fmt::format("{}/{}/{}/{}/{}", reference.api_version, reference.kind, reference.ns,
                     reference.name, reference.uid);
}

}  // namespace

std::string BoundedText(std::string_view text, std::size_t limit) {
  std::string bounded;
  std::size_t fits = 0;  // how much of `bounded` may stay in front of the ellipsis
  while (!text.empty()) {
    const std::size_t size = CharacterSize(text);
    bounded += size == 0 ? "?" : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
    if (bounded.size() <= limit - kEllipsis.size()) fits = bounded.size();
    if (bounded.size() > limit) return bounded.substr(0, fits).append(kEllipsis);
  }
  return bounded;
}

EventCorrelator::EventCorrelator(std::string identity)
    : identity_(BoundedText(identity, kReasonLimit)) {}

std::optional<EventCorrelator::Write> EventCorrelator::Record(const Occurrence& occurrence,
                                                              api::Time wall, Clock::Steady now) {
  DropOld(now);
  const std::string object = Describe(occurrence.regarding);
  Key key{.object = object,
          .related = occurrence.related ? Describe(*occurrence.related) : "",
          .type = occurrence.type,
          .reason = occurrence.reason,
          .action = occurrence.action,
          .note = occurrence.note};
  if (const auto known = series_.find(key); known != series_.end()) {
    return Repeat(known->second, wall, now);
  }
  if (!TakeToken(object, now)) {
    ++suppressed_;
    return std::nullopt;
  }
  api::Event event = NewEvent(occurrence, wall);
  series_.emplace(std::move(key), Series{.event = event, .seen = now, .written_at = now});
  return Write{.kind = Write::Kind::kCreate, .event = std::move(event)};
}

// The first repetition is news. The later ones only count.
std::optional<EventCorrelator::Write> EventCorrelator::Repeat(Series& series, api::Time wall,
                                                              Clock::Steady now) {
  series.seen = now;
  series.event.series = {.count = ++series.count, .last_observed_time = {wall}};
  if (series.count > 2 && now - series.written_at < kRefresh) return std::nullopt;
  series.written = series.count;
  series.written_at = now;
  return Write{.kind = Write::Kind::kSeries, .event = series.event};
}

std::vector<EventCorrelator::Write> EventCorrelator::Due(Clock::Steady now) {
  std::vector<Write> due;
  for (auto& [key, series] : series_) {
    if (series.written == series.count || now - series.written_at < kRefresh) continue;
    series.written = series.count;
    series.written_at = now;
    due.push_back({.kind = Write::Kind::kSeries, .event = series.event});
  }
  return due;
}

std::optional<Clock::Steady> EventCorrelator::NextDue() const {
  std::optional<Clock::Steady> next;
  for (const auto& [key, series] : series_) {
    if (series.written == series.count) continue;
    const auto due = series.written_at + kRefresh;
    next = next ? std::min(*next, due) : due;
  }
  return next;
}

std::vector<EventCorrelator::Write> EventCorrelator::Flush() {
  std::vector<Write> all;
  for (auto& [key, series] : series_) {
    if (series.written == series.count) continue;
    series.written = series.count;
    all.push_back({.kind = Write::Kind::kSeries, .event = series.event});
  }
  return all;
}

bool EventCorrelator::TakeToken(const std::string& object, Clock::Steady now) {
  auto& bucket = buckets_.try_emplace(object, Bucket{kBurst, now}).first->second;
  const std::chrono::duration<double> passed = now - bucket.at;
  bucket.tokens = std::min(kBurst, bucket.tokens + passed / kRefill);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

// Series that are over, and buckets that are full again.
void EventCorrelator::DropOld(Clock::Steady now) {
  std::erase_if(series_, [&](const auto& entry) {
    const Series& series = entry.second;
    return now - series.seen >= kSeriesGap && series.written == series.count;
  });
  std::erase_if(buckets_, [&](const auto& entry) {
    const std::chrono::duration<double> passed = now - entry.second.at;
    return entry.second.tokens + passed / kRefill >= kBurst;
  });
}

api::Event EventCorrelator::NewEvent(const Occurrence& occurrence, api::Time wall) {
  // As client-go: the name of the object and the time in hex. Two in one microsecond count on.
  const auto time = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()).count());
  last_suffix_ = std::max(time, last_suffix_ + 1);
  const std::string suffix = fmt::format(".{:x}", last_suffix_);
  api::Event event;
  event.regarding = occurrence.regarding;
  event.regarding.resource_version.clear();
  event.related = occurrence.related;
  event.metadata.ns = occurrence.regarding.ns.empty() ? "default" : occurrence.regarding.ns;
  event.metadata.name = NameFor(occurrence.regarding.name, suffix);
  event.event_time = {wall};
  event.reporting_controller = "stillpoint";
  event.reporting_instance = identity_;
  event.reason = BoundedText(occurrence.reason, kReasonLimit);
  event.action =
      occurrence.action.empty() ? event.reason : BoundedText(occurrence.action, kReasonLimit);
  event.note = BoundedText(occurrence.note, kNoteLimit);
  event.type = occurrence.type == EventType::kNormal ? "Normal" : "Warning";
  return event;
}

}  // namespace stillpoint::kube
