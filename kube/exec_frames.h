// Exec frames: what travels on the stream of a pods/exec, without any I/O.
//
// Contract: k8s.io/apimachinery/pkg/util/remotecommand (subprotocols v4 and v5.channel.k8s.io),
// KEP-4006. A binary message is one channel byte and its payload; the last word on channel 3 is a
// metav1.Status that carries the exit code.
#pragma once

#include "api/error.h"
#include "kube/exec.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::kube {

enum class ExecProtocol { kV4, kV5 };

// What we offer, best first, as Sec-WebSocket-Protocol has it.
inline constexpr std::string_view kExecProtocols = "v5.channel.k8s.io, v4.channel.k8s.io";

// The server's choice; empty when it is none of ours.
[[nodiscard]] std::optional<ExecProtocol> ParseExecProtocol(std::string_view name);

// v5: "there will be no more stdin". v4 has no such message.
inline constexpr std::array<std::uint8_t, 2> kCloseStdinFrame{0xff, 0x00};

// The exit code in the metav1.Status of channel 3.
// Errors: kInvalid (the runtime could not start the command), kUnavailable (anything else between
// the API server and the command: node, kubelet, runtime).
[[nodiscard]] api::Result<int> ParseExecStatus(std::string_view json);

// The events of one command, put together from pieces of messages. Keeps the newest output that
// nobody has taken yet, about `kBacklogLimit` bytes of it, and drops what is older: a command that
// prints without end is neither held up nor costs memory, and its last words are there however busy
// the reader is.
class ExecTranscript {
 public:
  static constexpr std::size_t kBacklogLimit = 256 << 10;

  enum class Piece { kPart, kLast };

  // The next bytes of the current message; kLast ends it. No effect after End().
  void Feed(std::string_view bytes, Piece piece);

  // The status has arrived: nothing but the rest of the output is to be expected.
  [[nodiscard]] bool has_status() const { return status_.has_value(); }

  // The stream has ended. The last event is kExit if the status has arrived, else `reason`.
  // Only the first call counts.
  void End(api::Error reason);

  // The oldest event that was not taken; empty when there is none yet. After the last one: an
  // error, again and again.
  [[nodiscard]] std::optional<api::Result<ExecEvent>> Take();

 private:
  void Payload(std::string_view bytes);
  void Append(ExecEvent::Type type, std::string_view bytes);
  void DropOldest();

  std::optional<std::uint8_t> channel_;  // of the message that is under way
  std::string status_text_;
  std::optional<api::Result<int>> status_;
  std::deque<ExecEvent> events_;
  std::size_t backlog_ = 0;        // what events_ cost
  std::optional<api::Error> end_;  // what Take() gives after the events
};

}  // namespace stillpoint::kube
