#include "sim/world/network.h"

#include "kube/request_url.h"
#include "sim/world/exec_stream.h"
#include "sim/world/watch_feed.h"

#include <fmt/format.h>

#include <utility>

namespace stillpoint::sim {

namespace {

const api::Error* ErrorOf(const api::Result<Payload>& result) {
  return result ? nullptr : &result.error();
}

api::Error Refused(api::Code code) {
  api::Error error{code, fmt::format("refused: {}", api::ToString(code))};
  if (code == api::Code::kTooManyRequests) error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

api::Result<kube::Answer> Network::Answer(int life, const kube::Request& request) {
  if (request.resource_version.empty()) return server_.Answer(request);
  const auto cached = world_.CachedVersion(life, request.resource.plural);
  return server_.Answer(request, std::string(kube::kFieldManager),
                        cached.value_or(WatchCursor::kAll));
}

void Reply::Set(api::Result<Payload> result, bool by_server) {
  if (outcome) return;
  outcome = std::move(result);
  answered = by_server;
  news.NotifyAll();
}

Network::Network(World& world, ApiServer& server, ContainerRuntime& runtime, NetworkKnobs knobs)
    : world_(world), server_(server), runtime_(runtime), knobs_(knobs) {
  server_.objects().OnChange(
      [this](const api::Resource& resource, const Change& change) { Changed(resource, change); });
  world_.SetVersion([this] { return server_.objects().resource_version(); });
  world_.SetDropStreams([this](int life) { DropStreams(life); });
}

// ---- one exchange -----------------------------------------------------------------------------

void Network::Send(std::shared_ptr<Exchange> exchange) {
  const auto fate = Meet(*exchange, Stage::kSend, nullptr);
  if (fate.lost) return Lose(exchange, *fate.lost);
  const auto way = Draw(exchange->way, exchange->life, exchange->subject.verb) + fate.delay;
  if (world_.Now() + way >= exchange->deadline) FailAtDeadline(exchange);
  world_.Land(way, [this, exchange, refused = fate.refused] { Arrive(exchange, refused); });
}

void Network::Arrive(const std::shared_ptr<Exchange>& exchange, std::optional<api::Code> refused) {
  if (PutOff(exchange, refused)) return;
  auto result = refused ? api::Result<Payload>(Refused(*refused)) : exchange->effect();
  const auto fate = Meet(*exchange, Stage::kEffect, ErrorOf(result));
  if (fate.lost) return Lose(exchange, *fate.lost);
  const auto way = Draw(exchange->way, exchange->life, exchange->subject.name);
  Return(exchange, std::move(result), way + fate.delay);
}

// Whether it does not land now: no packet passes, or its sender is dead and the network takes its
// time. TCP tries again: what a partition held up lands when it heals, even if nobody waits for it
// any more.
bool Network::PutOff(const std::shared_ptr<Exchange>& exchange, std::optional<api::Code> refused) {
  World::Duration delay{0};
  const auto cut = Cut(*exchange);
  if (!cut || *cut > World::Duration(0)) {
    FailAtDeadline(exchange);
    if (!cut) return true;
    delay = Soon(*cut) + Draw(exchange->way, exchange->life, "again");
  } else if (!world_.IsAlive(exchange->life) && !exchange->late) {
    exchange->late = true;
    delay = Draw(knobs_.zombie, exchange->life, exchange->subject.name);
  }
  if (delay == World::Duration(0)) return false;
  world_.Land(delay, [this, exchange, refused] { Arrive(exchange, refused); });
  return true;
}

void Network::Return(const std::shared_ptr<Exchange>& exchange, api::Result<Payload> result,
                     World::Duration delay) {
  if (exchange->reply.expired()) {
    // Nobody takes it: a stream that it has opened is noticed to be so after a while.
    const auto hangup = Draw(knobs_.hangup, exchange->life, exchange->subject.name);
    if (exchange->is_exec) world_.Land(hangup, [result = std::move(result)] {});
    return;
  }
  if (delay >= World::kForEver - world_.Now() || world_.Now() + delay >= exchange->deadline) {
    return FailAtDeadline(exchange);
  }
  world_.Deliver(exchange->life, delay, [this, exchange, result = std::move(result)]() mutable {
    Hand(exchange, std::move(result));
  });
}

void Network::Hand(const std::shared_ptr<Exchange>& exchange, api::Result<Payload> result) {
  const auto cut = Cut(*exchange);
  if (!cut || *cut > World::Duration(0)) {
    return Return(exchange, std::move(result), cut ? Soon(*cut) : World::Duration::max());
  }
  const auto fate = Meet(*exchange, Stage::kAnswer, ErrorOf(result));
  if (fate.lost) return Lose(exchange, *fate.lost);
  if (const auto reply = exchange->reply.lock()) reply->Set(std::move(result), true);
}

void Network::Lose(const std::shared_ptr<Exchange>& exchange, api::Code code) {
  if (code == api::Code::kTimeout) return FailAtDeadline(exchange);
  const auto way = Draw(exchange->way, exchange->life, "reset");
  world_.Deliver(exchange->life, way, [exchange, code] {
    const auto reply = exchange->reply.lock();
    if (reply) reply->Set(api::Error{code, "the connection was lost"}, false);
  });
}

void Network::FailAtDeadline(const std::shared_ptr<Exchange>& exchange) {
  world_.Deliver(exchange->life, exchange->deadline - world_.Now(), [exchange] {
    const auto reply = exchange->reply.lock();
    if (reply) reply->Set(api::Error{api::Code::kTimeout, "no answer"}, false);
  });
}

World::Disturbance Network::Meet(const Exchange& exchange, Stage stage, const api::Error* error) {
  const Subject& subject = exchange.subject;
  return world_.Meet({.life = exchange.life,
                      .stage = stage,
                      .verb = subject.verb,
                      .resource = subject.resource.plural,
                      .subresource = subject.subresource,
                      .ns = subject.ns,
                      .name = subject.name,
                      .body = subject.body,
                      .error = error});
}

std::optional<World::Duration> Network::Cut(const Exchange& exchange) const {
  return exchange.is_exec ? world_.ExecCut(exchange.life) : world_.ApiCut(exchange.life);
}

World::Duration Network::Draw(const Span& span, int life, std::string_view name) const {
  const auto width = static_cast<std::uint64_t>((span.most - span.least).count()) + 1;
  const std::uint64_t entity = HashIn(static_cast<std::uint64_t>(life), name);
  const auto instant = static_cast<std::uint64_t>((world_.Now() - world_.start()).count());
  const auto drawn = world_.draws().Below(width, DrawStream::kLatency, entity, instant);
  return span.least + World::Duration(static_cast<World::Duration::rep>(drawn));
}

// ---- watches ----------------------------------------------------------------------------------

void Network::Add(WatchFeed& feed) {
  feed.SetId(++last_feed_);
  feeds_.emplace(last_feed_, &feed);
}

void Network::Remove(WatchFeed& feed) {
  feeds_.erase(feed.id());
}

void Network::Add(std::weak_ptr<ExecStream> stream) {
  std::erase_if(streams_, [](const auto& known) { return known.expired(); });
  streams_.push_back(std::move(stream));
}

void Network::DropStreams(int life) {
  const auto streams = streams_;
  for (const auto& known : streams) {
    const auto stream = known.lock();
    if (stream && stream->life() == life) stream->Break();
  }
}

void Network::Changed(const api::Resource& resource, const Change& change) {
  const auto& shown = change.now ? change.now : change.before;
  const auto& metadata = MetadataOf(*shown);
  const std::string ns = TextOf(metadata, "namespace");
  const std::string name = TextOf(metadata, "name");
  const auto fate = world_.Meet({.stage = Stage::kChange,
                                 .verb = !change.before ? "created"
                                         : change.now   ? "updated"
                                                        : "deleted",
                                 .resource = resource.plural,
                                 .ns = ns,
                                 .name = name,
                                 .object = shown.get()});
  static_cast<void>(fate);  // a change cannot be undone; kills and the like have struck
  for (const auto& [id, feed] : feeds_) {
    if (feed->plural() == resource.plural) feed->Pump();
  }
}

}  // namespace stillpoint::sim
