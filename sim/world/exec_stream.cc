#include "sim/world/exec_stream.h"

#include <algorithm>
#include <utility>

namespace stillpoint::sim {

namespace {

std::string_view VerbOf(const api::Result<kube::ExecEvent>& event) {
  if (!event) return "exit";
  switch (event->type) {
    case kube::ExecEvent::Type::kStdout:
      return "stdout";
    case kube::ExecEvent::Type::kStderr:
      return "stderr";
    case kube::ExecEvent::Type::kExit:
      return "exit";
  }
  return "";
}

api::Error Lost() {
  return {api::Code::kUnavailable, "the stream was lost"};
}

}  // namespace

ExecStream::ExecStream(Network& network, int life,
                       std::optional<boost::asio::any_io_executor> session, std::string ns,
                       std::string pod)
    : network_(network), life_(life), ns_(std::move(ns)), pod_(std::move(pod)) {
  if (session) news_.emplace(*session);
}

api::Result<void> ExecStream::Start(const CommandRequest& request) {
  // The command dies with this, and with it the sink.
  auto started = network_.runtime().StartCommand(
      request, [this](api::Result<kube::ExecEvent> event) { Down(std::move(event)); });
  if (!started) return started.error();
  command_ = std::move(*started);
  network_.Add(weak_from_this());
  return {};
}

// ---- from the command -------------------------------------------------------------------------

void ExecStream::Down(api::Result<kube::ExecEvent> event) {
  if (over_ || hung_up_) return;
  World& world = network_.world();
  const auto way = network_.Draw(network_.knobs().exec, life_, pod_);
  down_due_ = std::max(down_due_, world.Now() + way);
  down_.push_back(std::move(event));
  WakeDown(down_due_ - world.Now());
}

// One wake for each frame on the way: whichever comes first takes the oldest.
void ExecStream::WakeDown(World::Duration delay) {
  network_.world().Deliver(life_, delay, [weak = weak_from_this()] {
    if (const auto stream = weak.lock()) stream->HandDown();
  });
}

void ExecStream::HandDown() {
  if (down_.empty() || over_ || hung_up_) return;
  const auto cut = Cut();
  if (!cut) return;
  const World::Duration blocked = blocked_until_ - network_.world().Now();
  if (*cut > World::Duration(0)) return WakeDown(Network::Soon(*cut));
  if (blocked > World::Duration(0)) return WakeDown(blocked);
  const auto fate = Meet(Stage::kAnswer, VerbOf(down_.front()));
  if (fate.delay > World::Duration(0)) {
    blocked_until_ = network_.world().Now() + fate.delay;
    return WakeDown(fate.delay);
  }
  auto event = std::move(down_.front());
  down_.pop_front();
  if (fate.lost == api::Code::kTimeout) return;  // the frame alone
  if (fate.lost) return Lose();
  over_ = !event || event->type == kube::ExecEvent::Type::kExit;
  arrived_.push_back(std::move(event));
  if (news_) news_->NotifyAll();
}

void ExecStream::Break() {
  if (!over_ && !hung_up_) Lose();
}

// Both ends learn of it, each in its own time.
void ExecStream::Lose() {
  over_ = true;
  arrived_.push_back(Lost());
  if (news_) news_->NotifyAll();
  HangUp();
}

std::optional<api::Result<kube::ExecEvent>> ExecStream::Take() {
  if (!arrived_.empty()) {
    auto event = std::move(arrived_.front());
    arrived_.pop_front();
    return event;
  }
  if (over_) return api::Result<kube::ExecEvent>(Lost());
  return std::nullopt;
}

// ---- to the command ---------------------------------------------------------------------------

void ExecStream::CloseStdin() {
  if (!std::exchange(stdin_closed_, true)) Up("eof", "");
}

void ExecStream::HangUp() {
  if (std::exchange(hung_up_, true)) return;
  World& world = network_.world();
  const auto notices = network_.Draw(network_.knobs().hangup, life_, pod_);
  up_due_ = std::max(up_due_, world.Now() + notices);
  up_.push_back({"hangup", ""});
  WakeUp(up_due_ - world.Now());
}

void ExecStream::Up(std::string_view verb, std::string data) {
  if (hung_up_ || over_) return;
  const auto fate = Meet(Stage::kSend, verb);
  if (fate.lost == api::Code::kTimeout) return;
  if (fate.lost) return Lose();
  World& world = network_.world();
  const auto way = network_.Draw(network_.knobs().exec, life_, verb);
  up_due_ = std::max(up_due_, world.Now() + way + fate.delay);
  up_.push_back({verb, std::move(data)});
  WakeUp(up_due_ - world.Now());
}

// Holds the stream, so that what was sent lands even when nobody has the other end any more.
void ExecStream::WakeUp(World::Duration delay) {
  network_.world().Land(delay, [stream = shared_from_this()] { stream->LandUp(); });
}

void ExecStream::LandUp() {
  if (up_.empty()) return;
  const auto cut = Cut();
  if (!cut) return;
  if (*cut > World::Duration(0)) return WakeUp(Network::Soon(*cut));
  if (!network_.world().IsAlive(life_) && !std::exchange(late_, true)) {
    up_due_ = network_.world().Now() + network_.Draw(network_.knobs().zombie, life_, pod_);
  }
  if (up_due_ > network_.world().Now() && late_) return WakeUp(up_due_ - network_.world().Now());
  const Sent sent = std::move(up_.front());
  up_.pop_front();
  if (!command_) return;
  if (sent.verb == "stdin") {
    command_->WriteStdin(sent.data);
  } else if (sent.verb == "eof") {
    command_->CloseStdin();
  } else {
    command_.reset();
  }
  static_cast<void>(Meet(Stage::kEffect, sent.verb));
}

World::Disturbance ExecStream::Meet(Stage stage, std::string_view verb) {
  return network_.world().Meet({.life = life_,
                                .stage = stage,
                                .verb = verb,
                                .resource = "pods",
                                .subresource = "exec",
                                .ns = ns_,
                                .name = pod_});
}

std::optional<World::Duration> ExecStream::Cut() const {
  return network_.world().ExecCut(life_);
}

}  // namespace stillpoint::sim
