#include "sim/run/campaign.h"

#include "sim/run/no_back_doors.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;

// One line of the pipe; shorter than PIPE_BUF, so that it arrives whole.
struct Message {
  std::uint64_t run = 0;
  RunSummary summary;
};

constexpr std::uint64_t kIdle = ~std::uint64_t{0};

struct Worker {
  std::atomic<std::uint64_t> next{0};  // of its block; outlives its process
  std::atomic<std::uint64_t> block_end{0};
  std::atomic<std::uint64_t> run{kIdle};
  std::atomic<std::int64_t> since{0};  // RealTime()
  pid_t pid = 0;                       // of the parent's use only
};

// In memory that all workers share.
struct Board {
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> enough{false};
};

// How much longer than its CPU time a run may take on a machine with other work.
constexpr int kLoad = 30;

// Of this process, from now on; then SIGPROF ends it.
void LimitCpuTime(std::chrono::seconds limit) {
  const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = limit.count(), .tv_usec = 0}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

template <class T>
T* ShareArray(std::size_t count) {
  void* memory =
      mmap(nullptr, sizeof(T) * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  T* array = static_cast<T*>(memory);
  for (std::size_t i = 0; i < count; ++i) new (array + i) T();
  return array;
}

class Campaign {
 public:
  Campaign(const RunNumber& run, const CampaignOptions& options)
      : run_(run),
        options_(options),
        jobs_(static_cast<std::size_t>(std::max(options.jobs, 1))),
        board_(ShareArray<Board>(1)),
        workers_(ShareArray<Worker>(jobs_)) {}

  ~Campaign() {
    munmap(board_, sizeof(Board));
    munmap(workers_, sizeof(Worker) * jobs_);
  }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  CampaignResult Run() {
    begin_ = RealTime();
    if (pipe(pipe_) != 0) throw std::bad_alloc();
    std::fflush(nullptr);
    for (std::size_t i = 0; i < jobs_; ++i) Start(workers_[i]);
    while (running_ > 0) {
      Read();
      Watch();
      Tell();
    }
    close(pipe_[1]);
    Read();
    close(pipe_[0]);
    result_.totals.real_time = RealTime() - begin_;
    return std::move(result_);
  }

 private:
  // ---- in the worker ----------------------------------------------------------------------------

  void Work(Worker& me) {
    while (!board_->enough) {
      const std::uint64_t number = NextOf(me);
      if (number >= options_.runs) break;
      me.since = RealTime().count();
      me.run = number;
      LimitCpuTime(options_.run_limit);
      const Message message{number, run_(number)};
      me.run = kIdle;
      if (write(pipe_[1], &message, sizeof message) != sizeof message) break;
    }
    _exit(0);
  }

  std::uint64_t NextOf(Worker& me) {
    if (me.next == me.block_end) {
      me.next = board_->next.fetch_add(options_.block);
      me.block_end = me.next + options_.block;
    }
    return me.next++;
  }

  // ---- in the parent ----------------------------------------------------------------------------

  void Start(Worker& worker) {
    const pid_t pid = fork();  // in the child it must not go into the memory that is shared
    if (pid == 0) Work(worker);
    if (pid < 0) throw std::bad_alloc();
    worker.pid = pid;
    ++running_;
  }

  void Read() {
    pollfd waiting{.fd = pipe_[0], .events = POLLIN, .revents = 0};
    for (int timeout = 100; poll(&waiting, 1, timeout) > 0; timeout = 0) {
      Message message;
      if (read(pipe_[0], &message, sizeof message) != sizeof message) return;
      Count(message);
    }
  }

  void Count(const Message& message) {
    const RunSummary& run = message.summary;
    Totals& totals = result_.totals;
    ++totals.runs;
    totals.virtual_time += run.virtual_time;
    totals.backups += run.backups;
    totals.restores += run.restores;
    for (std::size_t i = 0; i < kInvariants; ++i) totals.tested[i] += run.tested[i];
    if (run.least_slack < totals.least_slack) {
      totals.least_slack = run.least_slack;
      totals.tightest_run = message.run;
    }
    if (run.violated) Fail({message.run, *run.violated, run.events});
  }

  void Fail(const Failure& failure) {
    if (++result_.totals.failed >= options_.most_failures) board_->enough = true;
    const auto same = std::ranges::find(result_.failures, failure.invariant, &Failure::invariant);
    if (same == result_.failures.end()) {
      result_.failures.push_back(failure);
    } else if (failure.events < same->events) {
      *same = failure;
    }
  }

  // Ends what hangs, and puts another in the place of what has crashed.
  void Watch() {
    const auto now = RealTime();
    if (options_.time && now - begin_ >= *options_.time) board_->enough = true;
    for (std::size_t i = 0; i < jobs_; ++i) {
      Worker& worker = workers_[i];
      if (worker.pid == 0) continue;
      const auto since = std::chrono::nanoseconds(worker.since);
      if (worker.run != kIdle && now - since > kLoad * options_.run_limit) {
        kill(worker.pid, SIGKILL);
      }
      int status = 0;
      if (waitpid(worker.pid, &status, WNOHANG) != worker.pid) continue;
      worker.pid = 0;
      --running_;
      if (status == 0 || worker.run == kIdle) continue;
      ++result_.totals.runs;
      Fail({worker.run, Invariant::kCrash, 0});
      worker.run = kIdle;
      if (!board_->enough) Start(worker);
    }
  }

  void Tell() {
    const auto now = RealTime();
    if (now - told_ < 1s || isatty(STDERR_FILENO) == 0) return;
    told_ = now;
    fmt::print(stderr, "\r{} runs, {} failed ", result_.totals.runs, result_.totals.failed);
  }

  const RunNumber& run_;
  const CampaignOptions options_;
  const std::size_t jobs_;
  Board* const board_;
  Worker* const workers_;
  int pipe_[2] = {-1, -1};
  std::size_t running_ = 0;
  std::chrono::nanoseconds begin_{};
  std::chrono::nanoseconds told_{};
  CampaignResult result_;
};

}  // namespace

CampaignResult RunCampaign(const RunNumber& run, const CampaignOptions& options) {
  return Campaign(run, options).Run();
}

}  // namespace stillpoint::sim::run
