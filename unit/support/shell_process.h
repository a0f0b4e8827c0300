// Process: a real one, as an exec in a container starts it. For tests of scripts, which wait for a
// pipe to end and never for a time to pass.
#pragma once

#include "hooks/begin_request.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace stillpoint::unit {

// What the pipe of the output carries; the other one goes to /dev/null.
enum class Output { kBoth, kStdout, kStderr };

// As an exec in a container: a session of its own, a pipe for stdin and one for the output.
class Process {
 public:
  Process(const std::vector<std::string>& argv, const std::string& path,
          Output output = Output::kBoth, const std::vector<std::string>& environment = {}) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    posix_spawn_file_actions_t files{};
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], 0);
    for (const auto& [fd, other] : {std::pair{1, Output::kStderr}, std::pair{2, Output::kStdout}}) {
      if (output == other) {
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
      } else {
        posix_spawn_file_actions_adddup2(&files, out[1], fd);
      }
    }
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    // Who writes to a program that has ended is told so, and not killed.
    signal(SIGPIPE, SIG_IGN);
    sigset_t defaults{};
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> args;
    for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
    args.push_back(nullptr);
    std::string path_variable = "PATH=" + path;
    std::vector<char*> env{path_variable.data()};
    for (const std::string& entry : environment) env.push_back(const_cast<char*>(entry.c_str()));
    env.push_back(nullptr);
    if (posix_spawn(&pid_, args[0], &files, &attributes, args.data(), env.data()) != 0) pid_ = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    close(in[0]);
    close(out[1]);
    stdin_ = in[1];
    stdout_ = out[0];
  }
  ~Process() {
    CloseStdin();
    close(stdout_);
    if (pid_ > 0 && !reaped_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void WriteStdin(const std::string& data) {
    if (!TryWriteStdin(data)) ADD_FAILURE() << "nobody reads";
  }

  // False: the program has ended, or reads no more.
  bool TryWriteStdin(const std::string& data) {
    return write(stdin_, data.data(), data.size()) >= 0;
  }

  void CloseStdin() {
    if (stdin_ >= 0) close(stdin_);
    stdin_ = -1;
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  // The output up to the first line end, or all of it.
  std::string ReadLine() { return Read(/*whole=*/false); }

  // Reads to the end of the output, which comes when nobody holds stdout any more.
  std::string ReadAll() { return Read(/*whole=*/true); }

  // As a shell says it: 128 + n for signal n.
  int ExitCode() {
    int status = 0;
    waitpid(pid_, &status, 0);
    reaped_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  std::string Read(bool whole) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::array<char, 4096> buffer{};
    while (whole || output_.find('\n') == std::string::npos) {
      pollfd wait{stdout_, POLLIN, 0};
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
        ADD_FAILURE() << "the output never ended; so far: " << output_;
        break;
      }
      const ssize_t size = read(stdout_, buffer.data(), buffer.size());
      if (size <= 0) break;
      output_.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return output_;
  }

  pid_t pid_ = -1;
  bool reaped_ = false;
  int stdin_ = -1;
  int stdout_ = -1;
  std::string output_;
};

// A script of hooks/, told to begin. One that finds its machine wanting ends before it reads that.
class Begun : public Process {
 public:
  explicit Begun(const std::vector<std::string>& argv, const std::string& path,
                 Output output = Output::kBoth, const std::vector<std::string>& environment = {})
      : Process(argv, path, output, environment) {
    TryWriteStdin(std::string(hooks::kBeginRequest));
  }
};

inline bool Alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return false;
  const char state = line.at(line.rfind(") ") + 2);
  return state != 'Z' && state != 'X';
}

inline std::vector<pid_t> Pids(const std::string& output) {
  std::istringstream in(output);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

}  // namespace stillpoint::unit
