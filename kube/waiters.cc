#include "kube/waiters.h"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <map>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// A suspended coroutine, ready to be resumed once.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void Resume(const asio::any_io_executor& executor, error_code error) = 0;
};

template <class Handler>
class WaiterOf final : public Waiter {
 public:
  explicit WaiterOf(Handler handler) : handler_(std::move(handler)) {}
  void Resume(const asio::any_io_executor& executor, error_code error) override {
    asio::post(executor, asio::append(std::move(handler_), error));
  }

 private:
  Handler handler_;
};

}  // namespace

class Waiters::State {
 public:
  explicit State(asio::any_io_executor executor);
  ~State();

  std::uint64_t Insert(std::unique_ptr<Waiter> waiter) {
    waiting_.emplace(++last_id_, std::move(waiter));
    return last_id_;
  }

  void Resume(std::uint64_t id, error_code error) {
    if (auto node = waiting_.extract(id)) node.mapped()->Resume(executor_, error);
  }

  void ResumeFirst() {
    if (!waiting_.empty()) Resume(waiting_.begin()->first, {});
  }

  void ResumeAll() {
    for (auto all = std::exchange(waiting_, {}); auto& [id, waiter] : all) {
      waiter->Resume(executor_, {});
    }
  }

  // The loop is dying: destroys the suspended coroutines while it can still take their frames.
  void Abandon() {
    service_ = nullptr;
    waiting_.clear();
  }

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  class Service;
  const asio::any_io_executor executor_;
  Service* service_;
  const std::uint64_t id_;  // in the service
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Waiter>> waiting_;
};

// A completion handler owns its coroutine's frame, and Asio destroys a frame by way of the loop it
// ran on. So handlers must not outlive the io_context, which announces its end to its services.
class Waiters::State::Service final : public asio::execution_context::service {
 public:
  using key_type = Service;
  inline static asio::execution_context::id id;

  explicit Service(asio::execution_context& context) : service(context) {}

  std::uint64_t Insert(State* state) {
    states_.emplace(++last_id_, state);
    return last_id_;
  }

  void Erase(std::uint64_t key) { states_.erase(key); }

 private:
  void shutdown() override {
    for (auto states = std::exchange(states_, {}); auto& [age, state] : states) state->Abandon();
  }

  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, State*> states_;  // by age: the order of a simulated death is a fact
};

Waiters::State::State(asio::any_io_executor executor)
    : executor_(std::move(executor)),
      service_(&asio::use_service<Service>(asio::query(executor_, asio::execution::context))),
      id_(service_->Insert(this)) {}

Waiters::State::~State() {
  if (service_) service_->Erase(id_);
}

Waiters::Waiters(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

Waiters::~Waiters() = default;

asio::awaitable<void> Waiters::Wait() {
  co_await asio::async_initiate<decltype(asio::use_awaitable), void(error_code)>(
      [state = state_](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        const std::uint64_t id =
            state->Insert(std::make_unique<WaiterOf<decltype(handler)>>(std::move(handler)));
        if (!slot.is_connected()) return;
        slot.assign([weak = std::weak_ptr(state), id](asio::cancellation_type) {
          if (auto alive = weak.lock()) alive->Resume(id, asio::error::operation_aborted);
        });
      },
      asio::use_awaitable);
}

void Waiters::NotifyOne() {
  state_->ResumeFirst();
}

void Waiters::NotifyAll() {
  state_->ResumeAll();
}

std::size_t Waiters::size() const {
  return state_->size();
}

}  // namespace stillpoint::kube
