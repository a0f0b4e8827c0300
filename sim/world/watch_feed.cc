#include "sim/world/watch_feed.h"

#include <algorithm>
#include <string>
#include <utility>

namespace stillpoint::sim {

namespace {

// As kube::HttpWatch: how long after the planned end silence is borne.
constexpr World::Duration kGrace = std::chrono::seconds(30);

}  // namespace

WatchFeed::WatchFeed(Network& network, int life, boost::asio::any_io_executor executor,
                     kube::WatchRequest request, WatchCursor cursor)
    : network_(network),
      life_(life),
      request_(std::move(request)),
      cursor_(std::move(cursor)),
      news_(std::move(executor)) {
  network_.Add(*this);
}

WatchFeed::~WatchFeed() {
  network_.Remove(*this);
}

void WatchFeed::Open() {
  World& world = network_.world();
  world.Deliver(life_, request_.lifetime, [weak = weak_from_this()] {
    if (const auto feed = weak.lock()) feed->HandEnd(true);
  });
  if (network_.knobs().bookmark_period.count() > 0) SendBookmark();
  Pump();
}

void WatchFeed::SendBookmark() {
  network_.world().Land(network_.knobs().bookmark_period, [weak = weak_from_this()] {
    const auto feed = weak.lock();
    if (!feed || feed->end_) return;
    feed->Send({.type = kube::WatchEvent::Type::kBookmark,
                .resource_version = feed->network_.server().objects().resource_version()});
    feed->SendBookmark();
  });
}

void WatchFeed::Pump() {
  while (!end_) {
    auto seen = cursor_.Take();
    if (!seen) return End(seen.error());
    if (!*seen) return;
    Send(std::move(**seen));
  }
}

void WatchFeed::Send(Seen seen) {
  World& world = network_.world();
  const auto way = network_.Draw(network_.knobs().watch, life_, plural());
  last_due_ = std::max({last_due_, world.Now() + way, blocked_until_});
  on_the_way_.push_back(std::move(seen));
  Wake(last_due_ - world.Now());
}

// One wake for each event on the way: whichever comes first takes the oldest.
void WatchFeed::Wake(World::Duration delay) {
  network_.world().Deliver(life_, delay, [weak = weak_from_this()] {
    if (const auto feed = weak.lock()) feed->Hand();
  });
}

// How long the oldest event cannot arrive yet; nothing: never.
std::optional<World::Duration> WatchFeed::HeldUp() const {
  const World& world = network_.world();
  const auto cut = world.ApiCut(life_);
  if (!cut || silent_) return std::nullopt;
  const api::Time lag = world.LagOf(life_, plural());
  if (lag == World::kForEver) return std::nullopt;
  return std::max({*cut, lag - world.Now(), blocked_until_ - world.Now(), World::Duration(0)});
}

void WatchFeed::Hand() {
  if (on_the_way_.empty() || end_) return;
  const auto held_up = HeldUp();
  if (!held_up) return;
  if (*held_up > World::Duration(0)) return Wake(Network::Soon(*held_up));
  Seen seen = on_the_way_.front();  // it may have to stay
  const std::string ns = seen.object ? TextOf(MetadataOf(*seen.object), "namespace") : "";
  const std::string name = seen.object ? TextOf(MetadataOf(*seen.object), "name") : "";
  const auto fate = network_.world().Meet({.life = life_,
                                           .stage = Stage::kAnswer,
                                           .verb = "event",
                                           .resource = plural(),
                                           .ns = ns,
                                           .name = name});
  if (fate.delay > World::Duration(0)) {
    blocked_until_ = network_.world().Now() + fate.delay;
    return Wake(fate.delay);
  }
  if (fate.lost == api::Code::kTimeout) {
    silent_ = true;
    return;
  }
  if (fate.lost) return End({*fate.lost, "the watch was lost"});
  on_the_way_.pop_front();
  arrived_.push_back(seen.Event());
  news_.NotifyAll();
}

void WatchFeed::HandEnd(bool patient) {
  if (end_) return;
  const auto held_up = HeldUp();
  const bool silent = !held_up || *held_up > World::Duration(0);
  if (!silent) return End({api::Code::kUnavailable, "the server has ended the watch"});
  if (!patient) return End({api::Code::kTimeout, "the server has fallen silent"});
  network_.world().Deliver(life_, kGrace, [weak = weak_from_this()] {
    if (const auto feed = weak.lock()) feed->HandEnd(false);
  });
}

void WatchFeed::End(api::Error error) {
  if (end_) return;
  end_ = std::move(error);
  on_the_way_.clear();
  news_.NotifyAll();
}

std::optional<api::Result<kube::WatchEvent>> WatchFeed::Take() {
  if (!arrived_.empty()) {
    kube::WatchEvent event = std::move(arrived_.front());
    arrived_.pop_front();
    return api::Result<kube::WatchEvent>(std::move(event));
  }
  if (end_) return api::Result<kube::WatchEvent>(*end_);
  return std::nullopt;
}

}  // namespace stillpoint::sim
