#include "e2e/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

extern char** environ;

namespace stillpoint::e2e {
namespace {

using Clock = std::chrono::steady_clock;

int CodeOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category());
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  void CloseRead() {
    if (read >= 0) close(read);
    read = -1;
  }
  void CloseWrite() {
    if (write >= 0) close(write);
    write = -1;
  }
};

class SpawnActions {
 public:
  SpawnActions() {
    posix_spawn_file_actions_init(&actions_);
    // What we ignore the child would ignore too.
    posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnActions() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void Dup(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void Open(int to, const std::string& path, int flags) {
    posix_spawn_file_actions_addopen(&actions_, to, path.c_str(), flags, 0644);
  }
  int Spawn(const std::vector<std::string>& argv, char** environment) {
    int pid = -1;
    const int error = posix_spawnp(&pid, argv.at(0).c_str(), &actions_, &attributes_,
                                   Pointers(argv).data(), environment);
    if (error != 0) throw std::system_error(error, std::generic_category(), argv[0]);
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

void Write(int to, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = write(to, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

// Reads what is there; closes at the end of the stream.
void Drain(Pipe& from, std::string* into) {
  std::array<char, 65536> buffer{};
  const ssize_t n = read(from.read, buffer.data(), buffer.size());
  if (n > 0) {
    into->append(buffer.data(), static_cast<std::size_t>(n));
  } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
    from.CloseRead();
  }
}

}  // namespace

CommandResult Run(const std::vector<std::string>& argv, const std::string& stdin_text,
                  std::chrono::seconds timeout) {
  signal(SIGPIPE, SIG_IGN);  // a program may end before it has read all
  Pipe in;
  Pipe out;
  Pipe err;
  SpawnActions actions;
  actions.Dup(in.read, 0);
  actions.Dup(out.write, 1);
  actions.Dup(err.write, 2);
  const int pid = actions.Spawn(argv, environ);
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();
  Write(in.write, stdin_text);
  in.CloseWrite();

  CommandResult result;
  const auto deadline = Clock::now() + timeout;
  bool killed = false;
  while (out.read >= 0 || err.read >= 0) {
    std::array<pollfd, 2> polls{pollfd{out.read, POLLIN, 0}, pollfd{err.read, POLLIN, 0}};
    poll(polls.data(), polls.size(), 100);
    if (polls[0].revents != 0) Drain(out, &result.out);
    if (polls[1].revents != 0) Drain(err, &result.err);
    if (Clock::now() > deadline && !killed) {
      kill(pid, SIGKILL);
      killed = true;
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  result.exit_code = killed ? 124 : CodeOf(status);
  return result;
}

Process::Process(const std::vector<std::string>& argv, const std::string& log_file,
                 const std::map<std::string, std::string>& environment) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  SpawnActions actions;
  actions.Open(0, "/dev/null", O_RDONLY);
  actions.Open(1, log_file, O_WRONLY | O_CREAT | O_APPEND);
  actions.Dup(1, 2);
  pid_ = actions.Spawn(argv, Pointers(variables).data());
}

Process::~Process() {
  Kill();
}

void Process::Signal(int signal) const {
  if (!reaped_) kill(pid_, signal);
}

void Process::Kill() {
  if (reaped_) return;
  kill(pid_, SIGKILL);
  Reap(true);
}

int Process::Terminate(std::chrono::seconds grace) {
  Signal(SIGTERM);
  const auto deadline = Clock::now() + grace;
  while (Running()) {
    if (Clock::now() > deadline) {
      Kill();
      return 124;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return CodeOf(status_);
}

bool Process::Running() {
  return !Reap(false);
}

bool Process::Reap(bool block) {
  if (reaped_) return true;
  if (waitpid(pid_, &status_, block ? 0 : WNOHANG) == pid_) reaped_ = true;
  return reaped_;
}

}  // namespace stillpoint::e2e
