#include "kube/task_group.h"

#include "kube/waiters.h"

#include <fmt/format.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <cassert>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;

namespace {

// The text of an exception, or nothing for a cancelled wait, which is how a task is stopped.
std::optional<std::string> Describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) return std::nullopt;
    return e.what();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

class TaskGroup::Impl : public std::enable_shared_from_this<TaskGroup::Impl> {
 public:
  Impl(asio::any_io_executor executor, LogFn log)
      : executor_(executor), log_(std::move(log)), ended_(std::move(executor)) {}

  void Spawn(std::string name, asio::awaitable<void> task) {
    if (stopped_) return;
    const std::uint64_t id = ++last_id_;
    auto slot = tasks_[id].slot();
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(
                       slot, [entry = Entry(shared_from_this(), id),
                              name = std::move(name)](const std::exception_ptr& exception) {
                         if (exception) entry.group->Report(name, exception);
                       }));
  }

  void Cancel() {
    stopped_ = true;
    // A task that ends at once erases itself: walk by key.
    for (auto it = tasks_.begin(); it != tasks_.end();) {
      const std::uint64_t id = it->first;
      it->second.emit(asio::cancellation_type::terminal);
      it = tasks_.upper_bound(id);
    }
  }

  asio::awaitable<void> Join() {
    while (!tasks_.empty()) co_await ended_.Wait();
  }

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] std::size_t failures() const { return failures_; }

 private:
  // The registration of one task, owned by its completion handler: gone with the task, whether it
  // has ended or its loop was destroyed under it.
  struct Entry {
    Entry(std::shared_ptr<Impl> owner, std::uint64_t task) : group(std::move(owner)), id(task) {}
    Entry(Entry&&) = default;
    ~Entry() {
      if (group) group->Erase(id);
    }
    std::shared_ptr<Impl> group;
    std::uint64_t id;
  };

  void Erase(std::uint64_t id) {
    tasks_.erase(id);
    if (tasks_.empty()) ended_.NotifyAll();
  }

  void Report(const std::string& name, const std::exception_ptr& exception) {
    const auto what = Describe(exception);
    if (!what) return;
    ++failures_;
    log_(Severity::kError, fmt::format("task {} ended with an exception: {}", name, *what));
  }

  const asio::any_io_executor executor_;
  const LogFn log_;
  bool stopped_ = false;
  std::uint64_t last_id_ = 0;
  std::size_t failures_ = 0;
  std::map<std::uint64_t, asio::cancellation_signal> tasks_;
  Waiters ended_;
};

TaskGroup::TaskGroup(asio::any_io_executor executor, LogFn log)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(log))) {}

TaskGroup::~TaskGroup() {
  assert(impl_->size() == 0);
}

void TaskGroup::Spawn(std::string name, asio::awaitable<void> task) {
  impl_->Spawn(std::move(name), std::move(task));
}

asio::awaitable<void> TaskGroup::Stop() {
  impl_->Cancel();
  co_await impl_->Join();
}

asio::awaitable<void> TaskGroup::Join() {
  co_await impl_->Join();
}

std::size_t TaskGroup::size() const {
  return impl_->size();
}

std::size_t TaskGroup::failures() const {
  return impl_->failures();
}

}  // namespace stillpoint::kube
