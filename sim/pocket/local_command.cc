#include "sim/pocket/local_command.h"

#include "sim/pocket/child_process.h"

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace stillpoint::sim::pocket {

namespace asio = boost::asio;
using boost::system::error_code;
using kube::ExecEvent;

namespace {

// A child of the command may hold its output open when it has ended.
constexpr std::chrono::seconds kDrainTime{1};

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) == 0) {
      read = ends[0];
      write = ends[1];
    }
  }
  int read = -1;
  int write = -1;
};

}  // namespace

class LocalProcess : public std::enable_shared_from_this<LocalProcess> {
 public:
  LocalProcess(const asio::any_io_executor& executor, CommandSink sink)
      : executor_(executor),
        input_(executor),
        outputs_{asio::posix::stream_descriptor(executor),
                 asio::posix::stream_descriptor(executor)},
        report_(executor),
        drain_(executor),
        sink_(std::move(sink)) {}

  void Start(pid_t first, SandboxProcess plan, bool sandboxed, bool input) {
    const Pipe in, out, errors, report;
    plan.input = in.read;
    plan.output = out.write;
    plan.errors = errors.write;
    plan.report = report.write;
    const pid_t child = StartChild([&] { return RunBeside(first, plan, sandboxed); },
                                   {in.read, out.write, errors.write, report.write});
    for (const int used : {in.read, out.write, errors.write, report.write}) close(used);
    input_.assign(in.write);
    outputs_[0].assign(out.read);
    outputs_[1].assign(errors.read);
    report_.assign(report.read);
    if (!input) CloseInput();
    ReadReport();
    for (const std::size_t stream : {0U, 1U}) ReadOutput(stream);
    AwaitChild(executor_, child, [self = shared_from_this()](int code) { self->End(code); });
  }

  void Write(std::string_view data) {
    if (!input_.is_open() || data.empty()) return;
    unwritten_.emplace_back(data);
    if (unwritten_.size() == 1) WriteNext();
  }

  // After what was written.
  void CloseInput() {
    input_ends_ = true;
    if (unwritten_.empty()) CloseNow();
  }

  void Forget() {
    sink_ = nullptr;
    CloseNow();
  }

 private:
  void CloseNow() {
    error_code ignored;
    if (input_.is_open()) input_.close(ignored);
    unwritten_.clear();
  }

  void WriteNext() {
    asio::async_write(input_, asio::buffer(unwritten_.front()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error || self->unwritten_.empty()) return self->CloseNow();
                        self->unwritten_.pop_front();
                        if (!self->unwritten_.empty()) return self->WriteNext();
                        if (self->input_ends_) self->CloseNow();
                      });
  }

  void ReadReport() {
    asio::async_read(report_, asio::dynamic_buffer(report_text_),
                     [self = shared_from_this()](error_code, std::size_t) {
                       const auto at = self->report_text_.find("error ");
                       if (at != std::string::npos) {
                         self->failure_ = self->report_text_.substr(
                             at + 6, self->report_text_.find('\n', at) - at - 6);
                       }
                       self->reported_ = true;
                       self->Finish();
                     });
  }

  void ReadOutput(std::size_t stream) {
    outputs_[stream].async_read_some(
        asio::buffer(buffers_[stream]),
        [self = shared_from_this(), stream](error_code error, std::size_t size) {
          if (error) {
            ++self->drained_;
            return self->Finish();
          }
          if (self->sink_) {
            self->sink_(
                ExecEvent{.type = stream == 0 ? ExecEvent::Type::kStdout : ExecEvent::Type::kStderr,
                          .data = std::string(self->buffers_[stream].data(), size)});
          }
          self->ReadOutput(stream);
        });
  }

  void End(int code) {
    exit_code_ = code;
    drain_.expires_after(kDrainTime);
    drain_.async_wait([self = shared_from_this()](error_code error) {
      if (error) return;
      self->drained_ = self->outputs_.size();
      self->reported_ = true;
      self->Finish();
    });
    Finish();
  }

  // The exit comes after all output.
  void Finish() {
    if (!exit_code_ || !reported_ || drained_ < outputs_.size()) return;
    drain_.cancel();
    error_code ignored;
    for (auto& output : outputs_) output.close(ignored);
    report_.close(ignored);
    CloseNow();
    const CommandSink sink = std::exchange(sink_, nullptr);
    if (!sink) return;
    if (!failure_.empty()) {
      sink(api::Error{api::Code::kInvalid,
                      fmt::format("OCI runtime exec failed: exec failed: unable to start container "
                                  "process: {}: unknown",
                                  failure_)});
    } else {
      sink(ExecEvent{.type = ExecEvent::Type::kExit, .exit_code = *exit_code_});
    }
  }

  const asio::any_io_executor executor_;
  asio::posix::stream_descriptor input_;
  std::array<asio::posix::stream_descriptor, 2> outputs_;  // stdout, stderr
  asio::posix::stream_descriptor report_;
  asio::steady_timer drain_;
  CommandSink sink_;  // null: nobody listens any more
  std::array<std::array<char, 16 * 1024>, 2> buffers_{};
  std::deque<std::string> unwritten_;
  bool input_ends_ = false;
  std::string report_text_;
  std::string failure_;
  bool reported_ = false;
  std::size_t drained_ = 0;
  std::optional<int> exit_code_;
};

LocalCommand::LocalCommand(std::shared_ptr<LocalProcess> process, std::string container_id)
    : process_(std::move(process)), container_id_(std::move(container_id)) {}

LocalCommand::~LocalCommand() {
  process_->Forget();
}

void LocalCommand::WriteStdin(std::string_view data) {
  process_->Write(data);
}

void LocalCommand::CloseStdin() {
  process_->CloseInput();
}

std::shared_ptr<LocalProcess> StartLocalProcess(const asio::any_io_executor& executor, pid_t first,
                                                SandboxProcess plan, bool sandboxed, bool input,
                                                CommandSink sink) {
  auto process = std::make_shared<LocalProcess>(executor, std::move(sink));
  process->Start(first, std::move(plan), sandboxed, input);
  return process;
}

}  // namespace stillpoint::sim::pocket
