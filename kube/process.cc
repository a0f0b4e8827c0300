#include "kube/process.h"

#include "api/duration.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 declares the functions of this header without C linkage; 2.37 has it right.
extern "C" {
#include <sys/pidfd.h>
}

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

api::Error Failure(const std::string& command, int error) {
  return {error == ENOENT ? api::Code::kNotFound : api::Code::kUnavailable,
          fmt::format("cannot run {}: {}", command, std::strerror(error))};
}

// A file descriptor that is closed with its scope.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::vector<std::string> ChildEnvironment(const std::map<std::string, std::string>& own) {
  std::vector<std::string> all;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!own.contains(std::string(text.substr(0, text.find('='))))) all.emplace_back(text);
  }
  for (const auto& [name, value] : own) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What the child does not inherit from us: a signal mask, an ignored SIGPIPE, our process group.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// Starts the program; gives 0 or errno.
int Spawn(const ProcessRequest& request, int output, int errors, pid_t& pid) {
  std::vector<std::string> args = request.args;
  args.insert(args.begin(), request.command);
  std::vector<std::string> env = ChildEnvironment(request.env);
  const SpawnAttributes attributes;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  const int error = ::posix_spawnp(&pid, request.command.c_str(), &actions, attributes.get(),
                                   Pointers(args).data(), Pointers(env).data());
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

// The same; the outputs are then to be read from the two descriptors, which the caller owns.
int SpawnWithPipes(const ProcessRequest& request, int& output_fd, int& errors_fd, pid_t& pid) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  Fd output(ends[0]);
  const Fd output_of_child(ends[1]);
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  Fd errors(ends[0]);
  const Fd errors_of_child(ends[1]);
  const int error = Spawn(request, output_of_child.get(), errors_of_child.get(), pid);
  if (error != 0) return error;
  output_fd = output.Release();
  errors_fd = errors.Release();
  return 0;
}

// A child that has been started. The destructor kills what still runs and reaps it; until then its
// process id cannot be given to another.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (reaped_) return;
    ::kill(-pid_, SIGKILL);
    Reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Blocks while the child runs: only after its end or a SIGKILL.
  int Reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  const pid_t pid_;
  bool reaped_ = false;
};

void ThrowIfAborted(error_code error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

// One of the child's two outputs.
class Output {
 public:
  Output(const asio::any_io_executor& executor, int fd) : never_(executor), from_(executor, fd) {
    never_.expires_at(asio::steady_timer::time_point::max());
    from_.native_non_blocking(true);
  }

  // Ends only when there is too much: it is for the child's end to end the wait.
  asio::awaitable<void> ReadUntilFull() {
    std::array<char, 4096> buffer;
    while (!IsFull()) {
      const auto [error, count] = co_await from_.async_read_some(asio::buffer(buffer), kAwaitTuple);
      ThrowIfAborted(error);
      if (error) co_await never_.async_wait(asio::use_awaitable);
      text_.append(buffer.data(), count);
    }
  }

  // What is in the pipe now. A grandchild may hold it open, so its end need not come.
  void ReadRest() {
    std::array<char, 4096> buffer;
    while (!IsFull()) {
      const auto count = ::read(from_.native_handle(), buffer.data(), buffer.size());
      if (count <= 0) return;
      text_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  [[nodiscard]] bool IsFull() const { return text_.size() >= kMaxOutput; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  asio::steady_timer never_;
  asio::posix::stream_descriptor from_;
  std::string text_;
};

asio::awaitable<void> WaitForExit(pid_t pid) {
  const int fd = ::pidfd_open(pid, 0);
  if (fd < 0) throw boost::system::system_error(errno, boost::system::system_category());
  asio::posix::stream_descriptor process(co_await asio::this_coro::executor, fd);
  co_await process.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

asio::awaitable<api::Result<ProcessOutcome>> RunToEnd(ProcessRequest request) {
  const auto executor = co_await asio::this_coro::executor;
  int output_fd = -1;
  int errors_fd = -1;
  pid_t pid = 0;
  const int error = SpawnWithPipes(request, output_fd, errors_fd, pid);
  if (error != 0) co_return Failure(request.command, error);
  Child child(pid);
  Output output(executor, output_fd);
  Output errors(executor, errors_fd);
  const auto [order, output_end, errors_end, exit] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, output.ReadUntilFull(), asio::deferred),
          asio::co_spawn(executor, errors.ReadUntilFull(), asio::deferred),
          asio::co_spawn(executor, WaitForExit(pid), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (output.IsFull() || errors.IsFull()) {
    co_return api::Error{api::Code::kUnavailable,
                         fmt::format("{} wrote more than {} bytes", request.command, kMaxOutput)};
  }
  if (exit) std::rethrow_exception(exit);
  output.ReadRest();
  errors.ReadRest();
  co_return ProcessOutcome{
      .exit_code = child.Reap(), .output = output.text(), .errors = errors.text()};
}

}  // namespace

asio::awaitable<api::Result<ProcessOutcome>> RunProcess(Clock& clock, ProcessRequest request) {
  const auto timeout = request.timeout;
  std::string late =
      fmt::format("{} did not end within {}", request.command, api::FormatDuration(timeout));
  return WithTimeout(clock, timeout, std::move(late), RunToEnd(std::move(request)));
}

}  // namespace stillpoint::kube
