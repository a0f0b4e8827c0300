// The server's side of an exec stream's messages, without any I/O.
//
// Contract: k8s.io/apimachinery/pkg/util/remotecommand, subprotocols v4 and v5.channel.k8s.io: a
// channel byte and its payload; the last message is a metav1.Status on channel 3.
#pragma once

#include "api/error.h"

#include <string>
#include <string_view>

namespace stillpoint::sim::pocket {

inline constexpr char kStdinChannel = 0;
inline constexpr char kStdoutChannel = 1;
inline constexpr char kStderrChannel = 2;
inline constexpr char kStatusChannel = 3;
inline constexpr char kCloseChannel = static_cast<char>(0xff);  // v5: its payload is a channel

// The best of the offered subprotocols that is ours; empty: none. `offered` as in the header.
[[nodiscard]] std::string ChooseExecProtocol(std::string_view offered);

// The Status for a command that ended with `exit_code`.
[[nodiscard]] std::string ExitStatus(int exit_code);

// The Status for a command that could not be started, or whose container died.
[[nodiscard]] std::string ExecFailure(const api::Error& error);

}  // namespace stillpoint::sim::pocket
