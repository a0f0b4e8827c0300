#include "kube/lws_stream.h"

#include "kube/waiters.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <mutex>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;

struct LwsStream::Reader::Bell {
  explicit Bell(const asio::any_io_executor& loop) : executor(loop), waiters(loop) {}
  const asio::any_io_executor executor;
  Waiters waiters;
};

struct LwsStream::State {
  std::mutex mutex;  // guards all below
  std::optional<LwsOpening> opening;
  ExecTranscript transcript;
  std::optional<asio::any_io_executor> executor;  // set while somebody waits
  std::weak_ptr<Reader::Bell> bell;
};

LwsStream::LwsStream() : state_(std::make_unique<State>()) {}

LwsStream::~LwsStream() = default;

// Rings at most once for each wait: a command that prints a lot must not fill the loop's queue.
void LwsStream::Wake(State& locked) {
  if (!locked.executor) return;
  asio::post(*locked.executor, [weak = std::move(locked.bell)] {
    if (auto bell = weak.lock()) bell->waiters.NotifyAll();
  });
  locked.executor.reset();
}

void LwsStream::Opened(LwsOpening opening) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->opening) return;
  state_->opening = std::move(opening);
  Wake(*state_);
}

void LwsStream::Feed(std::string_view bytes, ExecTranscript::Piece piece) {
  const std::scoped_lock lock(state_->mutex);
  state_->transcript.Feed(bytes, piece);
  Wake(*state_);
}

bool LwsStream::has_status() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->transcript.has_status();
}

void LwsStream::End(api::Error reason) {
  const std::scoped_lock lock(state_->mutex);
  state_->transcript.End(std::move(reason));
  Wake(*state_);
}

LwsStream::Reader::Reader(asio::any_io_executor executor, std::shared_ptr<LwsStream> stream)
    : stream_(std::move(stream)), bell_(std::make_shared<Bell>(executor)) {}

LwsStream::Reader::~Reader() = default;

template <class T>
asio::awaitable<T> LwsStream::Reader::Poll(std::optional<T> (*take)(State&)) {
  // What comes from another thread is no work that the loop knows of.
  const auto work = asio::make_work_guard(bell_->executor);
  State& state = *stream_->state_;
  for (;;) {
    {
      const std::scoped_lock lock(state.mutex);
      if (auto value = take(state)) co_return std::move(*value);
      state.executor = bell_->executor;
      state.bell = bell_;
    }
    co_await bell_->waiters.Wait();
  }
}

asio::awaitable<LwsOpening> LwsStream::Reader::Opening() {
  return Poll<LwsOpening>([](State& state) { return state.opening; });
}

asio::awaitable<api::Result<ExecEvent>> LwsStream::Reader::Next() {
  return Poll<api::Result<ExecEvent>>([](State& state) { return state.transcript.Take(); });
}

}  // namespace stillpoint::kube
