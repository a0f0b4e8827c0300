#include "sim/pocket/child_process.h"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <csignal>
#include <memory>
#include <utility>
#include <vector>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {

namespace asio = boost::asio;

namespace {

// Sockets of the server must not live on in a child.
void CloseAllBut(std::initializer_list<int> kept) {
  std::vector<unsigned> keep{0, 1, 2};
  for (const int descriptor : kept) keep.push_back(static_cast<unsigned>(descriptor));
  std::ranges::sort(keep);
  unsigned first = 0;
  for (const unsigned descriptor : keep) {
    if (descriptor > first) close_range(first, descriptor - 1, 0);
    first = descriptor + 1;
  }
  close_range(first, ~0U, 0);
}

// Lets no signal in while it lives.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

void ResetSignals() {
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGHUP}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int Reap(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child ? ExitCodeOf(status) : 255;
}

}  // namespace

int ExitCodeOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

pid_t StartChild(const std::function<int()>& body, std::initializer_list<int> kept) {
  const pid_t parent = getpid();
  // Asio's signal handlers write into a pipe that the child shares with us: a SIGTERM that reaches
  // the child before it has handlers of its own would end this process.
  const BlockedSignals until_reset;
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(255);
  setpgid(0, 0);
  ResetSignals();
  CloseAllBut(kept);
  int code = 255;
  try {
    code = body();
  } catch (...) {
  }
  _exit(code);
}

void AwaitChild(const asio::any_io_executor& executor, pid_t child,
                std::function<void(int)> ended) {
  const auto descriptor = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  const auto watched = std::make_shared<asio::posix::stream_descriptor>(executor);
  boost::system::error_code ignored;
  watched->assign(descriptor, ignored);
  watched->async_wait(asio::posix::descriptor_base::wait_read,
                      [watched, child, ended = std::move(ended)](boost::system::error_code error) {
                        if (error != asio::error::operation_aborted) ended(Reap(child));
                      });
}

}  // namespace stillpoint::sim::pocket
