#include "kube/exec_frames.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace stillpoint::kube {

namespace json = boost::json;

namespace {

enum Channel : std::uint8_t { kStdout = 1, kStderr = 2, kStatus = 3 };

// A metav1.Status is short; the rest of a longer one is of no use to anybody.
constexpr std::size_t kStatusLimit = 64 * 1024;

// Output is joined up to about this size, and dropped by as much.
constexpr std::size_t kEventSize = 16 * 1024;

// A byte of stdout and a byte of stderr in turns are an event each: it counts too.
std::size_t Cost(const ExecEvent& event) {
  return sizeof(event) + event.data.size();
}

std::string_view StringAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

std::optional<json::object> ParseObject(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

// details.causes[] of the given reason.
std::optional<std::string> CauseOf(const json::object& status, std::string_view reason) {
  const json::value* details = status.if_contains("details");
  const json::object* members = details ? details->if_object() : nullptr;
  const json::value* causes = members ? members->if_contains("causes") : nullptr;
  if (!causes || !causes->is_array()) return std::nullopt;
  for (const json::value& cause : causes->get_array()) {
    const json::object* object = cause.if_object();
    if (object && StringAt(*object, "reason") == reason) {
      return std::string(StringAt(*object, "message"));
    }
  }
  return std::nullopt;
}

std::optional<int> ParseExitCode(const std::string& text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return code;
}

// A command that cannot be started and a kubelet that cannot be reached look the same but for the
// text: reason InternalError, code 500. These are the words of runc and crun, which containerd and
// CRI-O pass on. What is not recognised counts as a fault that may pass.
bool RuntimeCouldNotStart(std::string_view words) {
  constexpr std::string_view kSigns[] = {"OCI runtime exec failed", "executable file not found",
                                         "unable to start container process"};
  return std::ranges::any_of(kSigns,
                             [&](std::string_view sign) { return words.find(sign) != words.npos; });
}

// The one clause that tells a person something, out of the chain that each layer has put its own
// words in front of: `exec: "/bin/sh": stat /bin/sh: no such file or directory`.
std::string LastClause(std::string_view words) {
  constexpr std::string_view kClause = "exec: \"";
  constexpr std::string_view kTail = ": unknown";
  const std::size_t clause = words.rfind(kClause);
  if (clause != words.npos) words.remove_prefix(clause);
  if (words.ends_with(kTail)) words.remove_suffix(kTail.size());
  return std::string(words);
}

}  // namespace

std::optional<ExecProtocol> ParseExecProtocol(std::string_view name) {
  if (name == "v5.channel.k8s.io") return ExecProtocol::kV5;
  if (name == "v4.channel.k8s.io") return ExecProtocol::kV4;
  return std::nullopt;
}

api::Result<int> ParseExecStatus(std::string_view json) {
  const auto status = ParseObject(json);
  if (!status) {
    return api::Error{api::Code::kUnavailable, "the exit status is not a metav1.Status"};
  }
  if (StringAt(*status, "status") == "Success") return 0;
  if (StringAt(*status, "reason") == "NonZeroExitCode") {
    const auto code = ParseExitCode(CauseOf(*status, "ExitCode").value_or(""));
    if (code) return *code;
    return api::Error{api::Code::kUnavailable, "the exit status does not say the exit code"};
  }
  std::string message(StringAt(*status, "message"));
  if (message.empty()) message = "the command ended without an exit code";
  if (!RuntimeCouldNotStart(message)) {
    return api::Error{api::Code::kUnavailable, std::move(message)};
  }
  return api::Error{api::Code::kInvalid, "the command cannot be started: " + LastClause(message)};
}

void ExecTranscript::Feed(std::string_view bytes, Piece piece) {
  if (end_) return;
  if (!channel_ && !bytes.empty()) {
    channel_ = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
  }
  if (channel_) Payload(bytes);
  if (piece == Piece::kPart) return;
  if (channel_ == kStatus && !status_ && !status_text_.empty()) {
    status_ = ParseExecStatus(status_text_);
  }
  channel_.reset();
}

void ExecTranscript::Payload(std::string_view bytes) {
  switch (*channel_) {
    case kStdout:
      return Append(ExecEvent::Type::kStdout, bytes);
    case kStderr:
      return Append(ExecEvent::Type::kStderr, bytes);
    case kStatus:
      status_text_ += bytes.substr(0, kStatusLimit - std::min(kStatusLimit, status_text_.size()));
      return;
    default:
      return;  // 255: the server closes a channel; the end of the stream says it all
  }
}

// Joins what nobody has read yet, so that a million messages of one byte are not a million events.
void ExecTranscript::Append(ExecEvent::Type type, std::string_view bytes) {
  if (bytes.empty()) return;
  if (events_.empty() || events_.back().type != type || events_.back().data.size() >= kEventSize) {
    backlog_ += Cost(events_.emplace_back(ExecEvent{.type = type}));
  }
  events_.back().data += bytes;
  backlog_ += bytes.size();
  while (backlog_ > kBacklogLimit && events_.size() > 1) DropOldest();
}

void ExecTranscript::DropOldest() {
  const std::size_t lost = events_.front().dropped + events_.front().data.size();
  backlog_ -= Cost(events_.front());
  events_.pop_front();
  events_.front().dropped += lost;
}

void ExecTranscript::End(api::Error reason) {
  if (end_) return;
  if (!status_) {
    end_ = std::move(reason);
  } else if (!*status_) {
    end_ = status_->error();
  } else {
    const ExecEvent exit{.type = ExecEvent::Type::kExit, .exit_code = **status_};
    backlog_ += Cost(events_.emplace_back(exit));
    end_ = api::Error{api::Code::kUnavailable, "the command has ended"};
  }
}

std::optional<api::Result<ExecEvent>> ExecTranscript::Take() {
  if (!events_.empty()) {
    ExecEvent event = std::move(events_.front());
    events_.pop_front();
    backlog_ -= Cost(event);
    return event;
  }
  if (end_) return api::Result<ExecEvent>(*end_);
  return std::nullopt;
}

}  // namespace stillpoint::kube
