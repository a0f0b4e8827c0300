// ExecSocket: a command in a container at the end of a websocket.
#pragma once

#include "kube/clock.h"
#include "sim/cluster/container_runtime.h"
#include "sim/pocket/tls_stream.h"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>

namespace stillpoint::sim::pocket {

// Kubelet::StartCommand, or ContainerRuntime::StartCommand.
using StartCommandFn = std::function<api::Result<std::unique_ptr<Command>>(
    const CommandRequest& request, CommandSink sink)>;

// Accepts the upgrade that `request` asks for, starts the command and carries its streams until it
// has ended or the client is gone; then the stream is closed.
// Lifetime: stream and clock must outlive it. Throws when the connection fails.
[[nodiscard]] boost::asio::awaitable<void> ServeExec(TlsStream& stream, WireRequest request,
                                                     CommandRequest command, StartCommandFn start,
                                                     kube::Clock& clock);

}  // namespace stillpoint::sim::pocket
